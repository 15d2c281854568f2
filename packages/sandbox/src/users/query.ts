/** The query language of GET /users, as far as auth0.md §1.3 describes it; anything else is not modelled. */
import { Unmodelled } from "../exchange.ts"
import { isDateField, type Test, testExists, testPrefix, testValue } from "./fields.ts"
import type { User } from "./generate.ts"

/** Milliseconds; an absent bound is open. */
export interface Range {
  readonly field: string
  readonly from: { readonly at: number; readonly inclusive: boolean } | undefined
  readonly to: { readonly at: number; readonly inclusive: boolean } | undefined
}

export type Query =
  | { readonly _tag: "And" | "Or"; readonly parts: ReadonlyArray<Query> }
  | { readonly _tag: "Not"; readonly part: Query }
  | { readonly _tag: "Range"; readonly range: Range }
  | { readonly _tag: "Test"; readonly text: string; readonly test: Test }

/** The vendor answers 400. */
export class BadQuery extends Error {}

interface Token {
  readonly kind: "word" | "quoted" | "range" | "(" | ")" | "AND" | "OR" | "NOT"
  readonly text: string
}

/** A field name with its colon, then a quoted value, a range, a word, or a parenthesis. */
const lexer =
  /\s*(?:([()])|([A-Za-z_][\w.]*):(?=\S)|"((?:[^"\\]|\\.)*)"|([[{])([^\]}]*)([\]}])|((?:[^\s()"[\]{}\\]|\\.)+))/y

type Lexeme = Token | { readonly kind: "field"; readonly text: string }

const unescaped = (text: string): string => text.replace(/\\(.)/g, "$1")

const lex = (q: string): ReadonlyArray<Lexeme> => {
  const found: Array<Lexeme> = []
  lexer.lastIndex = 0
  while (lexer.lastIndex < q.trimEnd().length) {
    const match = lexer.exec(q)
    if (match === null) throw new BadQuery("the query has a character out of place")
    const [, bracket, field, quoted, open, inside, close, word] = match
    if (bracket === "(" || bracket === ")") found.push({ kind: bracket, text: bracket })
    else if (field !== undefined) found.push({ kind: "field", text: field })
    else if (quoted !== undefined) found.push({ kind: "quoted", text: unescaped(quoted) })
    else if (open !== undefined) found.push({ kind: "range", text: `${open}${inside ?? ""}${close ?? ""}` })
    else if (word === "AND" || word === "OR" || word === "NOT") found.push({ kind: word, text: word })
    else found.push({ kind: "word", text: word ?? "" })
  }
  return found
}

/** Operators are written out; which one an omitted operator means, or one of two mixed, is not modelled. */
export const parseQuery = (q: string): Query => {
  const lexemes = lex(q)
  let place = 0

  const expression = (): Query => {
    const parts = [unary()]
    let operator: "AND" | "OR" | undefined
    for (let next = lexemes[place]; next !== undefined && next.kind !== ")"; next = lexemes[place]) {
      if (next.kind !== "AND" && next.kind !== "OR") throw new Unmodelled("clauses of q without AND or OR between them")
      if (operator !== undefined && operator !== next.kind) throw new Unmodelled("AND and OR mixed without parentheses")
      operator = next.kind
      place += 1
      parts.push(unary())
    }
    const [only] = parts
    return parts.length === 1 && only !== undefined ? only : { _tag: operator === "OR" ? "Or" : "And", parts }
  }

  const unary = (): Query => {
    const next = lexemes[place++]
    if (next === undefined) throw new BadQuery("the query ends where a clause is expected")
    if (next.kind === "NOT") return { _tag: "Not", part: unary() }
    if (next.kind === "(") {
      const inner = expression()
      if (lexemes[place++]?.kind !== ")") throw new BadQuery("a parenthesis is not closed")
      return inner
    }
    if (next.kind === "field") return clause(next.text)
    if (next.kind === "word" || next.kind === "quoted") throw new Unmodelled("a bare term in q")
    throw new BadQuery(`the query has ${next.kind} where a clause is expected`)
  }

  const clause = (field: string): Query => {
    const value = lexemes[place++]
    if (value?.kind === "word" || value?.kind === "quoted") return valueClause(field, value)
    if (value?.kind === "range") return { _tag: "Range", range: parseRange(field, value.text) }
    throw value?.kind === "(" ? new Unmodelled("a group of values in q") : new BadQuery(`${field} has no value`)
  }

  const query = expression()
  if (place < lexemes.length) throw new BadQuery("a parenthesis is closed that was not opened")
  return query
}

const valueClause = (field: string, { kind, text }: Token): Query => {
  const quoted = kind === "quoted"
  const value = quoted ? text : unescaped(text)
  const shown = `${field}:${quoted ? JSON.stringify(value) : text}`
  if (field === "_exists_") return { _tag: "Test", text: shown, test: testExists(value) }
  if (!quoted && /[<>~^]/.test(value.slice(0, 1))) throw new Unmodelled(`the operator in ${shown}`)
  const star = quoted ? -1 : text.search(/(?<!\\)[*?]/)
  if (star < 0) return { _tag: "Test", text: shown, test: testValue(field, value) }
  if (star !== text.length - 1 || !text.endsWith("*")) throw new Unmodelled("a wildcard that is not the last character")
  const prefix = unescaped(text.slice(0, -1))
  if (prefix.length < 3) throw new BadQuery("a wildcard needs at least three characters before it")
  return { _tag: "Test", text: shown, test: testPrefix(field, prefix) }
}

const parseRange = (field: string, text: string): Range => {
  if (!isDateField(field)) throw new Unmodelled(`a range on ${field}`)
  const bounds = /^([[{])\s*"?([^\s"]+)"?\s+TO\s+"?([^\s"]+)"?\s*([\]}])$/.exec(text)
  if (bounds === null) throw new BadQuery(`the range of ${field} is not [a TO b]`)
  const [, open, from = "", to = "", close] = bounds
  return {
    field,
    from: from === "*" ? undefined : { at: instant(from), inclusive: open === "[" },
    to: to === "*" ? undefined : { at: instant(to), inclusive: close === "]" },
  }
}

/** Shorter forms are rounded up or down by the side they stand on, which is not modelled. */
const instant = (text: string): number => {
  if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z)?$/.test(text)) {
    throw new Unmodelled("a bound that is not a full time in UTC or a date")
  }
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw new BadQuery(`${text} is not a time`)
  return at
}

const within = ({ field, from, to }: Range, user: User): boolean => {
  const value = user[field]
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN
  if (Number.isNaN(at)) return false
  return (
    (from === undefined || at > from.at || (from.inclusive && at === from.at)) &&
    (to === undefined || at < to.at || (to.inclusive && at === to.at))
  )
}

export const matches = (query: Query, user: User): boolean => {
  switch (query._tag) {
    case "And":
      return query.parts.every((part) => matches(part, user))
    case "Or":
      return query.parts.some((part) => matches(part, user))
    case "Not":
      return !matches(query.part, user)
    case "Range":
      return within(query.range, user)
    case "Test":
      return query.test(user)
  }
}
