/** Values on their way to Postgres and back: the ones SQLite takes, and as it gives them back. */
import pg from "pg"

/** Postgres keeps no NUL in a text. U+0001 stands before what it and NUL become, so that texts still sort as they did. */
const ESCAPE = "\u0001"
const NUL = "\u0000"

export const escapeText = (text: string): string =>
  text.includes(NUL) || text.includes(ESCAPE)
    ? text.replaceAll(ESCAPE, `${ESCAPE}\u0002`).replaceAll(NUL, `${ESCAPE}${ESCAPE}`)
    : text

export const unescapeText = (text: string): string =>
  text.includes(ESCAPE) ? text.replaceAll(`${ESCAPE}${ESCAPE}`, NUL).replaceAll(`${ESCAPE}\u0002`, ESCAPE) : text

/** `pg` would make JSON or a list of anything else. */
export const toParameter = (value: unknown): string | number | bigint | Buffer | null => {
  if (value === undefined || value === null) return null
  if (typeof value === "string") return escapeText(value)
  if (typeof value === "boolean") return value ? 1 : 0
  if (typeof value === "number" || typeof value === "bigint") return value
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (value instanceof Date) return value.toISOString()
  throw new TypeError(`a ${typeof value} cannot be a SQL parameter`)
}

/** Counts and numbers are `bigint` there. One that a number cannot hold is refused, as `node:sqlite` does. */
const toInteger = (text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError("an integer of the database is too large for a number")
  return value
}

const { INT8, TEXT, VARCHAR } = pg.types.builtins

/** How columns are read. */
export const types = new pg.TypeOverrides()
types.setTypeParser(INT8, toInteger)
types.setTypeParser(TEXT, unescapeText)
types.setTypeParser(VARCHAR, unescapeText)
