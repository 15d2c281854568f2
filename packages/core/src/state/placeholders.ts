/** Bound values by the thousand, with their placeholders in one piece of text: Effect's helpers join and number them singly. */
import type { SqlClient } from "effect/sql/SqlClient"

type Bound = string | null

export const makePlaceholders = (sql: SqlClient) => {
  const isNumbered = sql.onDialectOrElse({ pg: () => true, orElse: () => false })

  const tuple = (width: number, from: number, end: string): string => {
    const holes = isNumbered
      ? Array.from({ length: width }, (_, at) => `$${from + at + 1}`).join(",")
      : `${"?,".repeat(width - 1)}?`
    return `(${holes}${end})`
  }

  return {
    /** For `IN`. `after` so many values that a list before it in the statement binds. */
    list: (values: ReadonlyArray<Bound>, after = 0) => sql.unsafe(tuple(values.length, after, ""), values),
    /** For `VALUES`. `end` is written after the placeholders of each row. All rows are of one length. */
    tuples: (rows: ReadonlyArray<ReadonlyArray<Bound>>, end: string) => {
      const width = rows[0]?.length ?? 0
      const first = tuple(width, 0, end)
      const text = rows.map((_, row) => (isNumbered ? tuple(width, row * width, end) : first)).join(",")
      return sql.unsafe(text, rows.flat())
    },
  }
}
