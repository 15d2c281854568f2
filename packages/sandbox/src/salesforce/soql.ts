/** SOQL as a sink and a reader use it. What the grammar has and this parser does not is Unmodelled, not a syntax error. */
import { Unmodelled } from "../exchange.ts"
import { malformed, type Token, tokensOf } from "./soqlTokens.ts"

export type Literal =
  | { readonly kind: "string" | "date" | "datetime"; readonly text: string }
  | { readonly kind: "number"; readonly number: number }
  | { readonly kind: "boolean"; readonly truth: boolean }
  | { readonly kind: "null" }

export type Operator = "=" | "!=" | "<" | "<=" | ">" | ">=" | "LIKE" | "IN" | "NOT IN"

export type Condition =
  | {
      readonly kind: "compare"
      readonly field: string
      readonly operator: Operator
      readonly values: ReadonlyArray<Literal>
    }
  | { readonly kind: "and" | "or"; readonly parts: ReadonlyArray<Condition> }
  | { readonly kind: "not"; readonly part: Condition }

export interface Order {
  readonly field: string
  readonly descending: boolean
  readonly nullsLast: boolean
}

export interface Query {
  /** Empty: COUNT(). */
  readonly fields: ReadonlyArray<string>
  readonly object: string
  readonly where: Condition | undefined
  readonly orders: ReadonlyArray<Order>
  readonly limit: number | undefined
  readonly offset: number
}

const unmodelled = new Set([
  "GROUP",
  "HAVING",
  "WITH",
  "FOR",
  "USING",
  "TYPEOF",
  "FIELDS",
  "INCLUDES",
  "EXCLUDES",
  "UPDATE",
])

class Parser {
  readonly #tokens: ReadonlyArray<Token>
  #next = 0

  constructor(soql: string) {
    this.#tokens = tokensOf(soql)
  }

  query(): Query {
    this.#word("SELECT")
    const fields = this.#fields()
    this.#word("FROM")
    const object = this.#name()
    const where = this.#accept("WHERE") ? this.#condition() : undefined
    const orders = this.#accept("ORDER") ? this.#orders() : []
    const limit = this.#accept("LIMIT") ? this.#whole() : undefined
    const offset = this.#accept("OFFSET") ? this.#whole() : 0
    const rest = this.#peek()
    if (rest !== undefined) return this.#unexpected(rest)
    return { fields, object, where, orders, limit, offset }
  }

  #fields(): ReadonlyArray<string> {
    if (this.#accept("COUNT")) {
      this.#sign("(")
      if (this.#peek()?.kind === "name") throw new Unmodelled("COUNT of a field")
      this.#sign(")")
      return []
    }
    const fields = [this.#selected()]
    while (this.#acceptSign(",")) fields.push(this.#selected())
    return fields
  }

  #selected(): string {
    const token = this.#peek()
    if (token?.kind === "sign" && token.text === "(") throw new Unmodelled("a subquery in SELECT")
    const name = this.#name()
    if (this.#peek()?.text === "(") throw new Unmodelled(`the function ${name} in SELECT`)
    return name
  }

  /** AND and OR do not mix without parentheses. */
  #condition(): Condition {
    const first = this.#part()
    const word = this.#is("AND") ? "AND" : this.#is("OR") ? "OR" : undefined
    if (word === undefined) return first
    const parts = [first]
    while (this.#accept(word)) parts.push(this.#part())
    const mixed = this.#peek()
    if (mixed !== undefined && (this.#is("AND") || this.#is("OR"))) return this.#unexpected(mixed)
    return { kind: word === "AND" ? "and" : "or", parts }
  }

  #part(): Condition {
    if (this.#accept("NOT")) return { kind: "not", part: this.#part() }
    if (this.#acceptSign("(")) {
      const inner = this.#condition()
      this.#sign(")")
      return inner
    }
    const field = this.#name()
    const operator = this.#operator()
    if (operator !== "IN" && operator !== "NOT IN")
      return { kind: "compare", field, operator, values: [this.#literal()] }
    this.#sign("(")
    if (this.#is("SELECT")) throw new Unmodelled("a subquery in WHERE")
    const values = [this.#literal()]
    while (this.#acceptSign(",")) values.push(this.#literal())
    this.#sign(")")
    return { kind: "compare", field, operator, values }
  }

  #operator(): Operator {
    if (this.#accept("LIKE")) return "LIKE"
    if (this.#accept("IN")) return "IN"
    if (this.#accept("NOT")) {
      this.#word("IN")
      return "NOT IN"
    }
    const token = this.#take()
    switch (token.text) {
      case "=":
      case "!=":
      case "<":
      case "<=":
      case ">":
      case ">=":
        return token.text
      case "<>":
        return "!="
      default:
        return this.#unexpected(token)
    }
  }

  #literal(): Literal {
    const token = this.#take()
    if (token.kind === "string" || token.kind === "date" || token.kind === "datetime")
      return { kind: token.kind, text: token.text }
    if (token.kind === "number") return { kind: "number", number: Number(token.text) }
    const word = token.text.toUpperCase()
    if (word === "TRUE" || word === "FALSE") return { kind: "boolean", truth: word === "TRUE" }
    if (word === "NULL") return { kind: "null" }
    if (token.kind === "name" && /^[A-Z_]+(:\d+)?$/.test(word) && /TODAY|DAY|WEEK|MONTH|QUARTER|YEAR/.test(word))
      throw new Unmodelled(`the date literal ${token.text}`)
    return this.#unexpected(token)
  }

  #orders(): ReadonlyArray<Order> {
    this.#word("BY")
    const orders = [this.#order()]
    while (this.#acceptSign(",")) orders.push(this.#order())
    return orders
  }

  #order(): Order {
    const field = this.#name()
    const descending = this.#accept("DESC")
    if (!descending) this.#accept("ASC")
    if (!this.#accept("NULLS")) return { field, descending, nullsLast: false }
    const nullsLast = this.#accept("LAST")
    if (!nullsLast) this.#word("FIRST")
    return { field, descending, nullsLast }
  }

  #whole(): number {
    const token = this.#take()
    return token.kind === "number" && /^\d+$/.test(token.text) ? Number(token.text) : this.#unexpected(token)
  }

  #name(): string {
    const token = this.#take()
    return token.kind === "name" ? token.text : this.#unexpected(token)
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#next]
  }

  #take(): Token {
    const token = this.#tokens[this.#next++]
    return token ?? malformed("unexpected token: '<EOF>'")
  }

  #is(word: string): boolean {
    const token = this.#peek()
    return token?.kind === "name" && token.text.toUpperCase() === word
  }

  #accept(word: string): boolean {
    const is = this.#is(word)
    if (is) this.#next += 1
    return is
  }

  #word(word: string): void {
    if (!this.#accept(word)) this.#unexpected(this.#take())
  }

  #acceptSign(sign: string): boolean {
    const token = this.#peek()
    const is = token?.kind === "sign" && token.text === sign
    if (is) this.#next += 1
    return is
  }

  #sign(sign: string): void {
    if (!this.#acceptSign(sign)) this.#unexpected(this.#take())
  }

  #unexpected(token: Token): never {
    if (token.kind === "name" && unmodelled.has(token.text.toUpperCase())) throw new Unmodelled(`${token.text} in SOQL`)
    return malformed(`unexpected token: '${token.text}' at position ${token.at}`)
  }
}

export const parseSoql = (soql: string): Query => new Parser(soql).query()
