/** The answers of Salesforce that the sink reads, as schemas. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { WireErrors } from "./errors.ts"

const optionalText = Schema.optionalKey(Schema.NullOr(Schema.String))

const DescribedField = Schema.Struct({
  name: Schema.String,
  type: Schema.String,
  length: Schema.optionalKey(Schema.Int),
  /** Of whole numbers. */
  digits: Schema.optionalKey(Schema.Int),
  /** Of others, digits before and after the point. */
  precision: Schema.optionalKey(Schema.Int),
  scale: Schema.optionalKey(Schema.Int),
  createable: Schema.Boolean,
  updateable: Schema.Boolean,
  nillable: Schema.Boolean,
  defaultedOnCreate: Schema.optionalKey(Schema.Boolean),
  externalId: Schema.optionalKey(Schema.Boolean),
  idLookup: Schema.optionalKey(Schema.Boolean),
  unique: Schema.optionalKey(Schema.Boolean),
  caseSensitive: Schema.optionalKey(Schema.Boolean),
  restrictedPicklist: Schema.optionalKey(Schema.Boolean),
  picklistValues: Schema.optionalKey(
    Schema.NullOr(Schema.Array(Schema.Struct({ active: Schema.Boolean, value: Schema.String }))),
  ),
  referenceTo: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.String))),
  relationshipName: optionalText,
})
export type DescribedField = typeof DescribedField.Type

const Described = Schema.Struct({
  name: Schema.String,
  keyPrefix: optionalText,
  createable: Schema.optionalKey(Schema.Boolean),
  updateable: Schema.optionalKey(Schema.Boolean),
  fields: Schema.Array(DescribedField),
})
export type Described = typeof Described.Type

/** What became of one row of a call. */
const Result = Schema.Struct({
  id: optionalText,
  success: Schema.Boolean,
  created: Schema.optionalKey(Schema.Boolean),
  errors: WireErrors,
})
export type Result = typeof Result.Type

const CompositeAnswer = Schema.Struct({
  compositeResponse: Schema.Array(
    Schema.Struct({ body: Schema.Unknown, httpStatusCode: Schema.Int, referenceId: Schema.String }),
  ),
})

const Page = Schema.Struct({
  done: Schema.Boolean,
  nextRecordsUrl: optionalText,
  records: Schema.Array(Schema.JsonObject),
})
export type Page = typeof Page.Type

const Allowance = Schema.Struct({ Max: Schema.Finite, Remaining: Schema.Finite })
const Limits = Schema.Struct({
  DailyApiRequests: Allowance,
  DailyBulkApiBatches: Schema.optionalKey(Allowance),
})
export type Limits = typeof Limits.Type

const Job = Schema.Struct({
  id: Schema.NonEmptyString,
  state: Schema.String,
  numberRecordsProcessed: Schema.optionalKey(Schema.Int),
  numberRecordsFailed: Schema.optionalKey(Schema.Int),
  errorMessage: optionalText,
})
export type Job = typeof Job.Type

const Versions = Schema.NonEmptyArray(Schema.Struct({ version: Schema.String }))

const results = Schema.decodeUnknownEffect(Schema.Array(Result))
const compositeAnswer = Schema.decodeUnknownEffect(CompositeAnswer)

/** A part for each that was asked for, in order, or it is no answer to what was asked. */
const ofLength = <A, E>(decoded: Effect.Effect<ReadonlyArray<A>, E>, count: number) =>
  Effect.flatMap(decoded, (list) => Schema.decodeUnknownEffect(sized(count))(list).pipe(Effect.as(list)))
const sized = (count: number) =>
  Schema.Array(Schema.Unknown).check(Schema.isMinLength(count), Schema.isMaxLength(count))

/** What decodes each answer. */
export const decode = {
  described: Schema.decodeUnknownEffect(Described),
  results: (count: number) => (body: unknown) => ofLength(results(body), count),
  composite: (count: number) => (body: unknown) =>
    ofLength(
      Effect.map(compositeAnswer(body), ({ compositeResponse }) => compositeResponse),
      count,
    ),
  page: Schema.decodeUnknownEffect(Page),
  limits: Schema.decodeUnknownEffect(Limits),
  job: Schema.decodeUnknownEffect(Job),
  versions: Schema.decodeUnknownEffect(Versions),
}
