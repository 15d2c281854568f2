/** Problems and failures as text: what is wrong, where, and what to do about it. */
import { clean, hang, type Page, plural } from "./text.ts"
import { countVariables, gather, variableLines, whereToSet } from "./variables.ts"

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
  /** The variable that has no value, and the name of one that has. */
  readonly variable?: string | undefined
  readonly suggestion?: string | undefined
}

const headOf = ({ severity, code, place }: Trouble, { style }: Page): string => {
  const paint = severity === "error" ? style.red : style.yellow
  return `${place === "" ? "" : `${clean(place)} `}${paint(severity)} ${style.dim(clean(code))}`
}

const fixOf = (fix: string, { style, width }: Page): string => style.cyan(hang("  fix: ", clean(fix), width))

export const renderTrouble = (trouble: Trouble, page: Page): string => {
  const body = hang("  ", clean(trouble.message), page.width)
  return [headOf(trouble, page), body, ...(trouble.fix === undefined ? [] : [fixOf(trouble.fix, page)])].join("\n")
}

/** Variables without a value are told in one block. */
export const renderTroubles = (troubles: ReadonlyArray<Trouble>, page: Page): string =>
  gather(troubles)
    .map(([first, ...others]) => {
      if (first === undefined) return ""
      if (others.length === 0) return renderTrouble(first, page)
      const together = [first, ...others]
      const what = countVariables(together) === 1 ? "it" : "them"
      return [headOf(first, page), ...variableLines(together, page), fixOf(whereToSet(what), page)].join("\n")
    })
    .join("\n")

/** `2 errors, 1 warning`; a variable that several places name counts once. */
export const countTroubles = (troubles: ReadonlyArray<Trouble>): string => {
  const count = (severity: Trouble["severity"]) =>
    gather(troubles.filter((each) => each.severity === severity)).reduce((sum, each) => sum + countVariables(each), 0)
  const errors = count("error")
  const warnings = count("warning")
  const parts = [
    ...(errors > 0 ? [plural(errors, "error")] : []),
    ...(warnings > 0 ? [plural(warnings, "warning")] : []),
  ]
  return parts.join(", ")
}
