/** What is wrong with a pipeline file: one value per finding, with the place to look at. */
import * as Schema from "effect/Schema"

/** `check --json` prints these as they are. No message carries the value of a variable or a secret. */
export const Problem = Schema.Struct({
  /** Stable, dotted: `key.unknown`, `variable.missing`. */
  code: Schema.String,
  severity: Schema.Literals(["error", "warning"]),
  /** `pipelines.users.to["brevo.contacts"].map.EMAIL`; empty for the whole file. */
  path: Schema.String,
  message: Schema.String,
  file: Schema.String,
  /** From 1, as the column. */
  line: Schema.Int,
  column: Schema.Int,
  /** A name that exists and was likely meant. */
  suggestion: Schema.optionalKey(Schema.String),
  /** The variable that has no value. */
  variable: Schema.optionalKey(Schema.String),
})
export type Problem = typeof Problem.Type

/** A step into a file: a key of a map or an index of a list. */
export type Path = ReadonlyArray<string | number>

/** The file cannot be used. Holds every problem found, warnings included. Exit code 2. */
export class ConfigError extends Schema.TaggedError<ConfigError>()("ConfigError", {
  problems: Schema.Array(Problem),
}) {
  override get message(): string {
    return this.problems.map(printProblem).join("\n")
  }
}

/** `file:line:column: error key.unknown at path: message; did you mean …?`, in one line. */
export function printProblem(problem: Problem): string {
  const at = problem.path === "" ? "" : ` at ${problem.path}`
  const hint = problem.suggestion === undefined ? "" : `; did you mean ${quote(problem.suggestion)}?`
  const place = `${problem.file}:${problem.line}:${problem.column}`
  return `${place}: ${problem.severity} ${problem.code}${at}: ${problem.message}${hint}`
}

export function printPath(path: Path): string {
  const step = (key: string | number) =>
    typeof key === "number"
      ? `[${key}]`
      : /^[A-Za-z_][A-Za-z0-9_-]*$/.test(key)
        ? `.${key}`
        : `[${JSON.stringify(key)}]`
  return path.map(step).join("").replace(/^\./, "")
}

/** A key of the file in a message: short, and on one line whatever it holds. */
export const quote = (text: string): string => {
  const json = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
  return `\`${json.slice(1, -1)}\``
}
