/** SOQL text cut into words, signs and literals. */

export type Token =
  | { readonly kind: "name" | "sign" | "date" | "datetime" | "number"; readonly text: string; readonly at: number }
  | { readonly kind: "string"; readonly text: string; readonly at: number }

export class SoqlError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export const malformed = (message: string): never => {
  throw new SoqlError("MALFORMED_QUERY", message)
}

const escapes: { readonly [letter: string]: string } = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" }

/** A text in single quotes from `at` on; the longest that a WHERE takes has 4,000 letters. */
const readString = (soql: string, at: number): { readonly text: string; readonly end: number } => {
  let text = ""
  for (let place = at + 1; place < soql.length; place++) {
    const letter = soql.charAt(place)
    if (letter === "'") {
      return text.length > 4_000 ? malformed("string literal is longer than 4000 characters") : { text, end: place + 1 }
    }
    if (letter !== "\\") {
      text += letter
      continue
    }
    const next = soql.charAt(++place)
    if (!/['"\\nrtbf_%]/i.test(next)) return malformed(`Illegal escape sequence: \\${next}`)
    // LIKE tells an escaped wildcard from a plain one later.
    text += next === "_" || next === "%" ? `\\${next}` : (escapes[next.toLowerCase()] ?? next)
  }
  return malformed("unexpected end of the query in a string literal")
}

const patterns: ReadonlyArray<readonly [kind: Exclude<Token["kind"], "string">, pattern: RegExp]> = [
  ["datetime", /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})/y],
  ["date", /\d{4}-\d{2}-\d{2}/y],
  ["number", /[+-]?\d+(\.\d+)?/y],
  ["name", /[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*(:\d+)?/y],
  ["sign", /!=|<>|<=|>=|[=<>(),]/y],
]

export const tokensOf = (soql: string): ReadonlyArray<Token> => {
  if (soql.length > 100_000) return malformed("SOQL statements cannot be longer than 100000 characters")
  const tokens: Array<Token> = []
  for (let at = 0; at < soql.length; ) {
    if (/\s/.test(soql.charAt(at))) {
      at += 1
      continue
    }
    if (soql.charAt(at) === "'") {
      const { text, end } = readString(soql, at)
      tokens.push({ kind: "string", text, at })
      at = end
      continue
    }
    const token = match(soql, at)
    tokens.push(token)
    at += token.text.length
  }
  return tokens
}

const match = (soql: string, at: number): Token => {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at
    const text = pattern.exec(soql)?.[0]
    if (text !== undefined) return { kind, text, at }
  }
  return malformed(`unexpected token: '${soql.charAt(at)}'`)
}
