/** Holds mappings against the saved fields of their destinations: what `check --connect` finds, without a connection. */
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import type { Path, Problem } from "../../config/problem.ts"
import { printPath } from "../../config/problem.ts"
import { parseYaml } from "../../config/yaml.ts"
import type { Field } from "../../plugin/sink.ts"
import { routeProblems, rulesOf } from "../check/routeProblems.ts"
import type { Pipeline, Route } from "../pipeline.ts"
import { isOutdated, lockedFields, NEWS, type SchemaLock } from "./schemaLock.ts"

export interface LockedInput {
  readonly file: string
  readonly text: string
  readonly pipelines: ReadonlyArray<Pipeline>
  readonly lockFile: string
  readonly lock: SchemaLock
}

export const checkLocked = ({ file, text, pipelines, lockFile, lock }: LockedInput): ReadonlyArray<Problem> => {
  const document = parseYaml(file, text)
  const refresh = `\`sluice schema --connect ${file} --lock\``
  const problem = (path: Path, said: Omit<Problem, "path" | "file" | "line" | "column">): Problem => {
    const place = Result.isSuccess(document) ? document.success.position(path, "key") : { line: 1, column: 1 }
    return { ...said, path: printPath(path), file, ...place }
  }
  const old = problem([], {
    code: "lock.old",
    severity: "warning",
    message: `${lockFile} is older than this version and lacks ${NEWS}, which are not judged: ${refresh} writes it anew`,
  })
  const found = pipelines.flatMap(({ name, routes }) =>
    routes.flatMap((route): ReadonlyArray<Problem> => {
      const path = ["pipelines", name, "to", route.name]
      const fields = lockedFields(lock, name, route)
      if (fields === undefined) {
        const message = `${route.name} is not in ${lockFile}: ${refresh} adds what its destination describes`
        return [problem(path, { code: "lock.missing", severity: "warning", message })]
      }
      if (fields.length === 0) return []
      const wrong = unworkable(route, fields)
      const others = routeProblems(route, fields)
        .filter((each) => !Equal.equals(each.path, wrong?.path))
        .map(({ path: below, code, ...said }) =>
          problem([...path, ...below], { ...said, code: `lock.${code.replaceAll("_", "-")}`, severity: "error" }),
        )
      if (wrong === undefined) return others
      const { path: below = [], message } = wrong
      return [problem([...path, ...below], { code: "lock.sink", severity: "error", message }), ...others]
    }),
  )
  return isOutdated(lock) ? [old, ...found] : found
}

/** Why the sink could not write the route, as it says of these fields: that says more than core of the same place. */
const unworkable = (route: Route, fields: ReadonlyArray<Field>) => {
  const rules = rulesOf(route, fields)
  if (rules === undefined || Result.isSuccess(rules)) return undefined
  const { reason } = rules.failure
  return { message: reason.message, path: reason._tag === "Misconfigured" ? reason.path : undefined }
}
