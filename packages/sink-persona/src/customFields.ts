/** Columns that an account type or a case template has of its own: `fields.NAME`. */

export const CUSTOM = "fields."

/** The name as configured, which nobody re-cases; undefined for the other columns. */
export const customName = (column: string): string | undefined =>
  column.startsWith(CUSTOM) ? column.slice(CUSTOM.length) : undefined
