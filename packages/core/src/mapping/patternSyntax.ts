/** Reads a regular expression (as JSONata allows it: flags i, m and g) into the parts that decide how it backtracks. */

/** Sorted ranges of UTF-16 code units. */
export type Chars = ReadonlyArray<readonly [number, number]>

export type Part =
  | { readonly _tag: "Chars"; readonly chars: Chars }
  /** Takes no text. `check`: it can fail where it stands, as `$` does. */
  | { readonly _tag: "Empty"; readonly check: boolean }
  | { readonly _tag: "Sequence"; readonly parts: ReadonlyArray<Part> }
  | { readonly _tag: "Choice"; readonly parts: ReadonlyArray<Part> }
  | { readonly _tag: "Repeat"; readonly part: Part; readonly min: number; readonly max: number }

/** Something this reader does not know or that cannot be judged. The pattern is refused. */
export class Unreadable {
  readonly what: string

  constructor(what: string) {
    this.what = what
  }
}

const all: Chars = [[0, 0xffff]]
const digits: Chars = [[48, 57]]
const word: Chars = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
]
const space: Chars = [
  [9, 13],
  [32, 32],
  [160, 160],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]
const controls: { readonly [letter: string]: number } = { t: 9, n: 10, v: 11, f: 12, r: 13, "0": 0 }

/** Throws `Unreadable`. */
export function parsePattern(pattern: RegExp): Part {
  return new PatternReader(pattern.source, pattern.ignoreCase).read()
}

class PatternReader {
  private at = 0
  private readonly source: string
  private readonly ignoreCase: boolean

  constructor(source: string, ignoreCase: boolean) {
    this.source = source
    this.ignoreCase = ignoreCase
  }

  read(): Part {
    const part = this.choice()
    if (this.at < this.source.length) throw new Unreadable("an unbalanced parenthesis")
    return part
  }

  private choice(): Part {
    const parts = [this.sequence()]
    while (this.take("|")) parts.push(this.sequence())
    const [only] = parts
    return only !== undefined && parts.length === 1 ? only : { _tag: "Choice", parts }
  }

  private sequence(): Part {
    const parts: Array<Part> = []
    while (this.at < this.source.length && this.peek() !== "|" && this.peek() !== ")") parts.push(this.repeated())
    return { _tag: "Sequence", parts }
  }

  private repeated(): Part {
    const part = this.atom()
    const match = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(this.source.slice(this.at, this.at + 40))
    if (match === null) return part
    this.at += match[0].length
    const [, sign, least = "", comma, most = ""] = match
    const min = sign === undefined ? Number(least) : sign === "+" ? 1 : 0
    const max = sign === undefined ? (comma === "" ? min : Number(most || Infinity)) : sign === "?" ? 1 : Infinity
    return { _tag: "Repeat", part, min, max }
  }

  private atom(): Part {
    const char = this.next()
    if (char === "(") return this.group()
    // At the very start it fails before anything is taken.
    if (char === "^" || char === "$") return { _tag: "Empty", check: this.at > 1 }
    if (char === ".") return this.chars(all)
    if (char === "[") return this.chars(this.charClass())
    if (char !== "\\") return this.chars(one(char))
    if (this.take("b") || this.take("B")) return { _tag: "Empty", check: true }
    if (/[1-9k]/.test(this.peek())) throw new Unreadable("a back reference")
    return this.chars(this.escape())
  }

  private group(): Part {
    const look = this.take("?=") || this.take("?!") || this.take("?<=") || this.take("?<!")
    if (!look && !this.take("?:") && this.peek() === "?") {
      const name = /^\?<\w+>/.exec(this.source.slice(this.at, this.at + 100))
      if (name === null) throw new Unreadable("a group with flags")
      this.at += name[0].length
    }
    const part = this.choice()
    if (!this.take(")")) throw new Unreadable("an unbalanced parenthesis")
    if (!look) return part
    if (loops(part)) throw new Unreadable("a repetition in a look-around")
    return { _tag: "Empty", check: true }
  }

  private charClass(): Chars {
    const negated = this.take("^")
    const ranges: Array<readonly [number, number]> = []
    while (!this.take("]")) {
      if (this.at >= this.source.length) throw new Unreadable("an unbalanced bracket")
      const low = this.classItem()
      const from = low[0]
      if (low.length !== 1 || from === undefined || from[0] !== from[1] || !this.rangeAhead()) {
        ranges.push(...low)
        continue
      }
      this.take("-")
      const high = this.classItem()
      const to = high[0]
      if (high.length === 1 && to !== undefined && to[0] === to[1]) ranges.push([from[0], to[0]])
      else ranges.push(from, [45, 45], ...high)
    }
    const chars = normal(this.ignoreCase ? anyCase(ranges) : ranges)
    return negated ? complement(chars) : chars
  }

  private rangeAhead(): boolean {
    return this.peek() === "-" && this.source[this.at + 1] !== "]"
  }

  private classItem(): Chars {
    const char = this.next()
    if (char !== "\\") return one(char)
    return this.take("b") ? [[8, 8]] : this.escape()
  }

  private escape(): Chars {
    const char = this.next()
    const sets: { readonly [letter: string]: Chars } = { d: digits, w: word, s: space }
    const set = sets[char] ?? sets[char.toLowerCase()]
    if (set !== undefined) return char === char.toLowerCase() ? set : complement(set)
    const control = controls[char]
    if (control !== undefined) return [[control, control]]
    const hex = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))/.exec(char + this.source.slice(this.at, this.at + 4))
    if (hex !== null) {
      this.at += hex[0].length - 1
      const code = Number.parseInt(hex[1] ?? hex[2] ?? "", 16)
      return [[code, code]]
    }
    if (/[0-9c]/.test(char)) throw new Unreadable("an old-style escape")
    return one(char)
  }

  private chars(chars: Chars): Part {
    return { _tag: "Chars", chars: this.ignoreCase ? normal(anyCase(chars)) : chars }
  }

  private peek(): string {
    return this.source[this.at] ?? ""
  }

  private next(): string {
    return this.source[this.at++] ?? ""
  }

  private take(text: string): boolean {
    if (!this.source.startsWith(text, this.at)) return false
    this.at += text.length
    return true
  }
}

/** Whether a part repeats more often than once. */
export function loops(part: Part): boolean {
  if (part._tag === "Repeat") return part.max > 1 || loops(part.part)
  return (part._tag === "Sequence" || part._tag === "Choice") && part.parts.some(loops)
}

const one = (char: string): Chars => [[char.charCodeAt(0), char.charCodeAt(0)]]

export const overlap = (a: Chars, b: Chars): boolean =>
  a.some(([from, to]) => b.some(([start, end]) => from <= end && start <= to))

function normal(ranges: Chars): Chars {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0])
  const merged: Array<[number, number]> = []
  for (const [from, to] of sorted) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else merged.push([from, to])
  }
  return merged
}

export const union = (sets: ReadonlyArray<Chars>): Chars => normal(sets.flat())

export function intersection(a: Chars, b: Chars): Chars {
  return a.flatMap(([from, to]) =>
    b.flatMap(([start, end]): Chars => {
      const low = Math.max(from, start)
      const high = Math.min(to, end)
      return low <= high ? [[low, high]] : []
    }),
  )
}

function complement(chars: Chars): Chars {
  const gaps: Array<readonly [number, number]> = []
  let from = 0
  for (const [start, end] of normal(chars)) {
    if (from < start) gaps.push([from, start - 1])
    from = end + 1
  }
  if (from <= 0xffff) gaps.push([from, 0xffff])
  return gaps
}

/** Both cases of ASCII letters; beyond ASCII any letter may stand for any other, which errs on the strict side. */
function anyCase(chars: Chars): Chars {
  const more = chars.flatMap(([from, to]): Chars => {
    const upper = intersection([[from, to]], [[65, 90]]).map(([a, b]) => [a + 32, b + 32] as const)
    const lower = intersection([[from, to]], [[97, 122]]).map(([a, b]) => [a - 32, b - 32] as const)
    return [...upper, ...lower, ...(to > 127 ? ([[128, 0xffff]] as const) : [])]
  })
  return [...chars, ...more]
}
