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
    /** For `VALUES`: so many rows, with their values one after the other. `end` is written after each row's. */
    tuples: (rows: number, values: ReadonlyArray<Bound>, end: string) => {
      const width = values.length / rows
      const text = isNumbered
        ? Array.from({ length: rows }, (_, row) => tuple(width, row * width, end)).join(",")
        : `${tuple(width, 0, end)},`.repeat(rows - 1) + tuple(width, 0, end)
      return sql.unsafe(text, values)
    },
  }
}
