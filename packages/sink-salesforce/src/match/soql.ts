/** Queries that look records up by values of one field. Pure. */

/** A text as SOQL takes it: both the backslash and the quote end a literal's meaning (salesforce trap 19). */
export const literal = (text: string): string => {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll("'", "\\'")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t")
  return `'${escaped}'`
}

/** A query goes in an address, which is cut at 16 KB with all headers: far below, or it is refused (salesforce trap 20). */
const MOST_VALUES = 200
const MOST_BYTES = 7_000
/** A literal of a condition. */
const LONGEST_VALUE = 4_000

export interface Question {
  readonly object: string
  readonly fields: ReadonlyArray<string>
  readonly by: string
  /** Of `by`: numbers have no quotes, or the query is refused. */
  readonly isNumber?: boolean
}

const isNumeral = (text: string): boolean => /^-?\d+(?:\.\d+)?(?:e[+-]\d+)?$/.test(text)

/** As many queries as it takes; a value that cannot stand in one is in none. */
export const selects = (
  { object, fields, by, isNumber = false }: Question,
  values: Iterable<string>,
): ReadonlyArray<string> => {
  const head = `SELECT ${fields.join(", ")} FROM ${object} WHERE ${by} IN (`
  const room = MOST_BYTES - encodeURIComponent(head).length
  const lists: Array<Array<string>> = []
  let bytes = 0
  for (const value of new Set(values)) {
    if (value.length > LONGEST_VALUE || !value.isWellFormed() || (isNumber && !isNumeral(value))) continue
    const written = isNumber ? value : literal(value)
    const size = encodeURIComponent(written).length + 3
    const open = lists.at(-1)
    if (open === undefined || open.length === MOST_VALUES || bytes + size > room) {
      lists.push([written])
      bytes = size
    } else {
      open.push(written)
      bytes += size
    }
  }
  return lists.map((list) => `${head}${list.join(",")})`)
}
