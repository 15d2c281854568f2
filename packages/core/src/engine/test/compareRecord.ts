/** Holds what the engine makes of a record against what a test expects, field by field: absent ≠ null ≠ value. */
import type { Json, JsonObject } from "effect/Schema"
import type { Expected } from "../../config/testSchema.ts"
import { canonicalJson } from "../../mapping/canonical.ts"
import type { Difference, Got, RecordReport } from "./testReport.ts"

export const compareRecord = (expected: Expected, got: Got): RecordReport => {
  const wanted = outcomeOf(expected)
  const compared =
    wanted === got.outcome ? [...details(expected, got)] : [{ at: "outcome", expected: wanted, got: got.outcome }]
  const differences = compared.filter(differs)
  return { ok: differences.length === 0, expected, got, differences, same: compared.length - differences.length }
}

const outcomeOf = ({ filtered, refused, deleted, kept }: Expected): Got["outcome"] => {
  if (filtered) return "filtered"
  if (refused !== undefined) return "refused"
  if (deleted) return "deleted"
  return kept ? "kept" : "row"
}

const differs = ({ expected, got }: Difference): boolean =>
  expected === undefined || got === undefined ? expected !== got : canonicalJson(expected) !== canonicalJson(got)

function* details(expected: Expected, got: Got): Generator<Difference> {
  if ("key" in got && expected.key !== undefined) yield { at: "key", expected: expected.key, got: got.key }
  if (got.outcome === "row") yield* fields(expected, got.row)
  if (got.outcome === "refused") yield* refusal(expected.refused ?? {}, got)
}

function* fields({ row, has = {}, absent = [] }: Expected, got: JsonObject): Generator<Difference> {
  const wanted = row ?? has
  const others = row === undefined ? absent : Object.keys(got).filter((field) => !Object.hasOwn(row, field))
  for (const field of Object.keys(wanted)) yield difference(`row.${field}`, own(wanted, field), own(got, field))
  for (const field of others) yield difference(`row.${field}`, undefined, own(got, field))
}

function* refusal(
  { code, message, fields }: NonNullable<Expected["refused"]>,
  got: Extract<Got, { outcome: "refused" }>,
): Generator<Difference> {
  if (code !== undefined) yield { at: "refused.code", expected: code, got: got.code }
  if (message !== undefined) {
    const found = got.message.includes(message) ? message : got.message
    yield { at: "refused.message", expected: message, got: found }
  }
  if (fields !== undefined) yield { at: "refused.fields", expected: fields, got: got.fields }
}

const difference = (at: string, expected: Json | undefined, got: Json | undefined): Difference => ({
  at,
  ...(expected === undefined ? {} : { expected }),
  ...(got === undefined ? {} : { got }),
})

const own = (fields: JsonObject, name: string): Json | undefined =>
  Object.hasOwn(fields, name) ? fields[name] : undefined
