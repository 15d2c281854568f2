/** The keys of a mapping test file, `<pipeline>.test.yaml`. The property of a schema is the key in the YAML. */
import * as JsonSchema from "effect/JsonSchema"
import * as Schema from "effect/Schema"
import { describe } from "../plugin/describe.ts"
import { draft07 } from "./jsonSchema.ts"

const text = Schema.String.check(Schema.isNonEmpty({ expected: "text that is not empty" }))
const fields = Schema.Record(Schema.String, Schema.Json)
const only = (description: string) => Schema.optionalKey(Schema.Literal(true).pipe(describe(description)))

/** The `$now` of a file that has none of its own: the same in every run. */
export const USUAL_NOW = "2026-01-01T00:00:00Z"

const Refused = Schema.Struct({
  code: Schema.optionalKey(text.pipe(describe("The code of the dead letter."))),
  message: Schema.optionalKey(text.pipe(describe("A part of its message."))),
  fields: Schema.optionalKey(Schema.Array(text).pipe(describe("The destination fields it names."))),
})

/** What can become of a record. */
const KINDS = ["row", "has", "absent", "filtered", "refused", "deleted", "kept"] as const

/** What a route is to make of one record. */
export const Expected = Schema.Struct({
  row: Schema.optionalKey(fields.pipe(describe("The whole row: a field that is not in it must be absent."))),
  has: Schema.optionalKey(fields.pipe(describe("Some fields of the row; the others are not looked at."))),
  absent: Schema.optionalKey(
    Schema.Array(text).pipe(describe("Fields that must not be in the row; `null` clears a field and is not absent.")),
  ),
  key: Schema.optionalKey(text.pipe(describe("The key by which the destination recognises the row, as text."))),
  filtered: only("`where` excludes the record."),
  refused: Schema.optionalKey(Refused.pipe(describe("The record is a dead letter."))),
  deleted: only("`on_delete` is done to what was delivered."),
  kept: only("It was delivered and is left as it is: `on_delete` or `on_leave` is `keep`."),
}).check(
  Schema.makeFilter((expected) => {
    const given = KINDS.filter((kind) => expected[kind] !== undefined)
    const partial = given.every((kind) => kind === "has" || kind === "absent")
    if (given.length === 1 || (given.length > 1 && partial)) return undefined
    const kinds = "row, has (with or without absent), filtered, refused, deleted or kept"
    return given.length === 0 ? `says none of ${kinds}` : `says ${given.join(" and ")}: keep one of ${kinds}`
  }),
)
export type Expected = typeof Expected.Type

const record = Schema.Record(Schema.String, Schema.Json)
const nameField = text.pipe(describe("What the test is about; unique in the file."))
const caseFields = {
  pipeline: Schema.optionalKey(text.pipe(describe("A pipeline of the file; not needed where it has one."))),
  record: Schema.optionalKey(record.pipe(describe("A record as the source gives it."))),
  records: Schema.optionalKey(Schema.Array(record).pipe(describe("Several records, in the order they are read."))),
  change: Schema.optionalKey(
    Schema.Literals(["upsert", "delete"]).pipe(describe("delete: the records are gone from the source.")),
  ),
  delivered: Schema.optionalKey(
    Schema.Boolean.pipe(
      describe("The records were delivered by an earlier run; without it, so they were where `change` is delete."),
    ),
  ),
}
const expectDescription =
  "By route, `<sink>.<object>`: what becomes of the record; of several records, a list in their order. Other routes are not looked at."

const oneInput = Schema.makeFilter((test: { readonly record?: unknown; readonly records?: unknown }) =>
  (test.record === undefined) === (test.records === undefined) ? "needs either `record` or `records`" : undefined,
)

/** What is expected is decoded route by route, so that each reports its own issues. */
export const TestCaseShell = Schema.Struct({
  name: nameField,
  ...caseFields,
  expect: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown)),
}).check(oneInput)

const fileFields = {
  now: Schema.optionalKey(
    Schema.String.check(
      Schema.isPattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/, {
        expected: "a time in UTC as 2026-01-31T12:00:00Z",
      }),
    ).pipe(describe(`What $now and $millis yield; without it ${USUAL_NOW}.`)),
  ),
  variables: Schema.optionalKey(
    Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Boolean])).pipe(
      describe("Values for variables of the pipeline file. Neither the environment nor `.env` is read."),
    ),
  ),
}
export const TestFileShell = Schema.Struct({
  ...fileFields,
  tests: Schema.Array(Schema.Unknown).check(Schema.isMinLength(1, { expected: "at least one test" })),
})

const TestFile = Schema.Struct({
  ...fileFields,
  tests: Schema.Array(
    Schema.Struct({
      name: nameField,
      ...caseFields,
      expect: Schema.optionalKey(
        Schema.Record(Schema.String, Schema.Union([Expected, Schema.Array(Expected)])).pipe(
          describe(expectDescription),
        ),
      ),
    }),
  ).pipe(describe("One after the other; none sees what another delivered.")),
})

/** JSON Schema (draft-07) for test files, for editors. */
export const testJsonSchema = (): { readonly [keyword: string]: unknown } => {
  const definitions: Record<string, unknown> = {}
  const file = draft07(TestFile, "test", definitions)
  const named = { $schema: JsonSchema.META_SCHEMA_URI_DRAFT_07, title: "Sluice mapping tests" }
  return { ...named, ...file, ...(Object.keys(definitions).length > 0 ? { definitions } : {}) }
}
