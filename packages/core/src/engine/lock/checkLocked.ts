/** Holds mappings against the saved fields of their destinations: what `check --connect` finds, without a connection. */
import * as Result from "effect/Result"
import type { Path, Problem } from "../../config/problem.ts"
import { printPath } from "../../config/problem.ts"
import { parseYaml } from "../../config/yaml.ts"
import { checkMapping } from "../../mapping/validate.ts"
import type { Pipeline } from "../pipeline.ts"
import { lockedFields, type SchemaLock } from "./schemaLock.ts"

export interface LockedInput {
  readonly file: string
  readonly text: string
  readonly pipelines: ReadonlyArray<Pipeline>
  readonly lockFile: string
  readonly lock: SchemaLock
}

export const checkLocked = ({ file, text, pipelines, lockFile, lock }: LockedInput): ReadonlyArray<Problem> => {
  const document = parseYaml(file, text)
  const problem = (path: Path, said: Omit<Problem, "path" | "file" | "line" | "column">): Problem => {
    const place = Result.isSuccess(document) ? document.success.position(path, "key") : { line: 1, column: 1 }
    return { ...said, path: printPath(path), file, ...place }
  }
  return pipelines.flatMap(({ name, routes }) =>
    routes.flatMap((route): ReadonlyArray<Problem> => {
      const path = ["pipelines", name, "to", route.name]
      const fields = lockedFields(lock, route)
      if (fields === undefined) {
        const message = `${route.name} is not in ${lockFile}: \`sluice schema --connect ${file} --lock\` adds what its destination describes`
        return [problem(path, { code: "lock.missing", severity: "warning", message })]
      }
      const problems = fields.length === 0 ? [] : checkMapping(fields, route.mapping)
      return problems.map(({ path: below, code, ...said }) =>
        problem([...path, ...below], { ...said, code: `lock.${code.replaceAll("_", "-")}`, severity: "error" }),
      )
    }),
  )
}
