/** The answers of Persona that the sink reads, as schemas. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const nullable = <S extends Schema.Top>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

const AccountData = Schema.Struct({
  id: Schema.NonEmptyString,
  attributes: Schema.JsonObject,
  relationships: nullable(
    Schema.Struct({
      "account-type": nullable(Schema.Struct({ data: nullable(Schema.Struct({ id: Schema.String })) })),
    }),
  ),
})

/** An account as the rest of the sink sees it. */
export interface Account {
  readonly id: string
  readonly referenceId: string | undefined
  /** Undefined where the answer does not say. */
  readonly type: string | undefined
  readonly isRedacted: boolean
  /** Undefined where the answer does not say. */
  readonly tags: ReadonlyArray<string> | undefined
  /** By Persona's own names, values with their types still around them. */
  readonly attributes: Schema.JsonObject
}

export interface AccountPage {
  readonly accounts: ReadonlyArray<Account>
  /** Undefined where the answer does not say. */
  readonly isLast: boolean | undefined
}

const own = (object: Schema.JsonObject, name: string): Schema.Json | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined

const toAccount = ({ id, attributes, relationships }: typeof AccountData.Type): Account => {
  const referenceId = own(attributes, "reference-id")
  const tags = own(attributes, "tags")
  const redactedAt = own(attributes, "redacted-at")
  return {
    id,
    referenceId: typeof referenceId === "string" ? referenceId : undefined,
    type: relationships?.["account-type"]?.data?.id,
    isRedacted: redactedAt !== undefined && redactedAt !== null,
    tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : undefined,
    attributes,
  }
}

const Option = Schema.Union([Schema.String, Schema.Struct({ value: Schema.String })])

const FieldSchema = Schema.Struct({
  key: Schema.String,
  type: Schema.String,
  "default-value": Schema.optionalKey(Schema.Unknown),
  config: nullable(
    Schema.Struct({
      required: nullable(Schema.Boolean),
      "archived-at": nullable(Schema.String),
      "deactivated-at": nullable(Schema.String),
      "max-char-length": nullable(Schema.Int),
      options: nullable(Schema.Array(Option)),
    }),
  ),
})
export type FieldSchema = typeof FieldSchema.Type

const decodeAccount = Schema.decodeUnknownEffect(Schema.Struct({ data: AccountData }))
const decodePage = Schema.decodeUnknownEffect(
  Schema.Struct({
    data: Schema.Array(AccountData),
    links: nullable(Schema.Struct({ next: nullable(Schema.String) })),
  }),
)
const decodeType = Schema.decodeUnknownEffect(
  Schema.Struct({
    data: Schema.Struct({ attributes: Schema.Struct({ "field-schemas": Schema.Array(FieldSchema) }) }),
  }),
)
const decodeCase = Schema.decodeUnknownEffect(Schema.Struct({ data: Schema.Struct({ id: Schema.NonEmptyString }) }))

/** What decodes each answer. */
export const decode = {
  account: (body: unknown) => Effect.map(decodeAccount(body), ({ data }) => toAccount(data)),
  accounts: (body: unknown) =>
    Effect.map(
      decodePage(body),
      ({ data, links }): AccountPage => ({
        accounts: data.map(toAccount),
        isLast: links?.next === undefined ? undefined : links.next === null,
      }),
    ),
  fieldSchemas: (body: unknown) => Effect.map(decodeType(body), ({ data }) => data.attributes["field-schemas"]),
  caseId: (body: unknown) => Effect.map(decodeCase(body), ({ data }) => data.id),
}
