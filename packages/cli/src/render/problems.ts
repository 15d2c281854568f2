/** Problems and failures as text: what is wrong, where, and what to do about it. */
import { clean, hang, type Page, plural } from "./text.ts"

/** A failure as it is shown and as `--json` prints it. */
export interface Trouble {
  readonly severity: "error" | "warning"
  /** Stable. */
  readonly code: string
  /** `file:line:column`, a connection or a route; empty where there is none. */
  readonly place: string
  readonly message: string
  /** What to do. */
  readonly fix: string | undefined
}

export const renderTrouble = (trouble: Trouble, { style, width }: Page): string => {
  const paint = trouble.severity === "error" ? style.red : style.yellow
  const place = trouble.place === "" ? "" : `${clean(trouble.place)} `
  const head = `${place}${paint(trouble.severity)} ${style.dim(clean(trouble.code))}`
  const body = hang("  ", clean(trouble.message), width)
  const fix = trouble.fix === undefined ? [] : [style.cyan(hang("  fix: ", clean(trouble.fix), width))]
  return [head, body, ...fix].join("\n")
}

export const renderTroubles = (troubles: ReadonlyArray<Trouble>, page: Page): string =>
  troubles.map((trouble) => renderTrouble(trouble, page)).join("\n")

/** `2 errors, 1 warning` */
export const countTroubles = (troubles: ReadonlyArray<Trouble>): string => {
  const errors = troubles.filter((each) => each.severity === "error").length
  const warnings = troubles.length - errors
  const parts = [
    ...(errors > 0 ? [plural(errors, "error")] : []),
    ...(warnings > 0 ? [plural(warnings, "warning")] : []),
  ]
  return parts.join(", ")
}
