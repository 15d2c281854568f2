/** What is wrong with a route for the fields of its destination, live or saved, before any record. */
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import type { MappingProblem } from "../../mapping/entry.ts"
import { checkMapping } from "../../mapping/validate.ts"
import type { Field, Rules } from "../../plugin/sink.ts"
import { writerRequest } from "../connect.ts"
import type { Route } from "../pipeline.ts"

/** The sink's own rules for a route; undefined where it has none. */
export const rulesOf = (route: Route, fields: ReadonlyArray<Field>) =>
  route.spec.rules?.(writerRequest(route, undefined), fields)

export const routeProblems = (route: Route, fields: ReadonlyArray<Field>): ReadonlyArray<MappingProblem> => {
  const problems = checkMapping(fields, route.mapping)
  const rules = rulesOf(route, fields)
  if (rules === undefined || Result.isFailure(rules)) return problems
  const isKnown = ({ path }: MappingProblem) => problems.some((each) => Equal.equals(each.path, path))
  return [...problems, ...refusedLiterals(route, rules.success).filter((each) => !isKnown(each))]
}

/** Literals for which the sink would refuse every row. What it says of other fields is of the rest of a row. */
const refusedLiterals = ({ mapping }: Route, { refuse }: Rules): ReadonlyArray<MappingProblem> =>
  [...mapping.makes].flatMap(([field, makes]) =>
    (["value", "default"] as const).flatMap((key): ReadonlyArray<MappingProblem> => {
      const literal = makes[key]
      if (literal === undefined) return []
      const refused = refuse({ id: "literal", key: "literal", change: "upsert", fields: { [field]: literal } })
      if (refused === undefined || refused.fields[0] !== field) return []
      return [{ path: ["map", field, key], code: refused.code, message: refused.message }]
    }),
  )
