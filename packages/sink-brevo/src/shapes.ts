/** The answers of Brevo that the sink reads, as schemas, and a contact as the rest of the sink sees it. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** How `identifierType` names the ways to address a contact. */
export type IdentifierType = "contact_id" | "ext_id" | "email_id" | "phone_id" | "whatsapp_id" | "landline_number_id"

/** Always sent with its type: a bare number would address somebody else's contact id. */
export interface Identifier {
  readonly type: IdentifierType
  readonly value: string
}

const Account = Schema.Struct({
  organization_id: Schema.optionalKey(Schema.Union([Schema.NonEmptyString, Schema.Int])),
  user_id: Schema.optionalKey(Schema.Int),
  companyName: Schema.optionalKey(Schema.NullOr(Schema.String)),
}).check(
  Schema.makeFilter((account) => account.organization_id !== undefined || account.user_id !== undefined, {
    expected: "an organization_id",
  }),
)
export type Account = typeof Account.Type

const AttributeAnswer = Schema.Struct({
  name: Schema.String,
  category: Schema.String,
  type: Schema.optionalKey(Schema.String),
  enumeration: Schema.optionalKey(
    Schema.NullOr(
      Schema.Array(
        Schema.Struct({
          value: Schema.Finite,
          label: Schema.String,
          valueStr: Schema.optionalKey(Schema.String),
        }),
      ),
    ),
  ),
  multiCategoryOptions: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.String))),
})
export type AttributeAnswer = typeof AttributeAnswer.Type

const ContactAnswer = Schema.Struct({
  id: Schema.Int,
  email: Schema.optionalKey(Schema.NullOr(Schema.String)),
  ext_id: Schema.optionalKey(Schema.NullOr(Schema.String)),
  emailBlacklisted: Schema.Boolean,
  smsBlacklisted: Schema.Boolean,
  listIds: Schema.Array(Schema.Int),
  listUnsubscribed: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.Int))),
  modifiedAt: Schema.optionalKey(Schema.NullOr(Schema.String)),
  attributes: Schema.JsonObject,
})

/** A contact as Brevo holds it. */
export interface Contact {
  readonly id: string
  readonly email: string | undefined
  readonly extId: string | undefined
  readonly emailBlacklisted: boolean
  readonly smsBlacklisted: boolean
  readonly listIds: ReadonlyArray<number>
  /** Lists the contact unsubscribed from. */
  readonly left: ReadonlyArray<number>
  /** Brevo may leave that out: then nobody knows. */
  readonly tellsLeft: boolean
  /** By Brevo's clock, in milliseconds since 1970; 0 where it does not say. */
  readonly modifiedAt: number
  readonly attributes: Schema.JsonObject
}

/** SMS-only contacts get an address made of their digits: it is nobody's e-mail. */
const isPseudoEmail = (email: string): boolean => /^\d+@mailin-sms\.com$/i.test(email)

const text = (value: Schema.Json | undefined): string | undefined =>
  typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined

const toContact = (answer: typeof ContactAnswer.Type, asked?: Identifier): Contact => {
  const attributes = answer.attributes
  const held = Object.hasOwn(attributes, "EXT_ID") ? attributes.EXT_ID : undefined
  const email = answer.email ?? undefined
  return {
    id: String(answer.id),
    email: email === undefined || email === "" || isPseudoEmail(email) ? undefined : email,
    extId: text(answer.ext_id) ?? text(held) ?? (asked?.type === "ext_id" ? asked.value : undefined),
    emailBlacklisted: answer.emailBlacklisted,
    smsBlacklisted: answer.smsBlacklisted,
    listIds: answer.listIds,
    left: answer.listUnsubscribed ?? [],
    tellsLeft: answer.listUnsubscribed !== undefined,
    modifiedAt: Date.parse(answer.modifiedAt ?? "") || 0,
    attributes,
  }
}

/** A page of the account's contacts. */
export interface ContactPage {
  readonly contacts: ReadonlyArray<Contact>
  /** All that match. */
  readonly count: number
}

const Process = Schema.Struct({
  id: Schema.Int,
  name: Schema.optionalKey(Schema.String),
  /** An open set: what is not known as an end is not one. */
  status: Schema.String,
  /** Once completed: an address of a CSV for each kind of row that did not land. */
  info: Schema.optionalKey(
    Schema.NullOr(
      Schema.Struct({
        import: Schema.optionalKey(Schema.NullOr(Schema.Record(Schema.String, Schema.NullOr(Schema.String)))),
      }),
    ),
  ),
})
export type Process = typeof Process.Type

const decodePage = Schema.decodeUnknownEffect(
  Schema.Struct({ contacts: Schema.Array(ContactAnswer), count: Schema.Int }),
)
const decodeProcesses = Schema.decodeUnknownEffect(
  Schema.Struct({ processes: Schema.optionalKey(Schema.Array(Process)) }),
)
const decodeContact = Schema.decodeUnknownEffect(ContactAnswer)
const decodeAttributes = Schema.decodeUnknownEffect(Schema.Struct({ attributes: Schema.Array(AttributeAnswer) }))
const decodeStarted = Schema.decodeUnknownEffect(Schema.Struct({ processId: Schema.Int }))
const decodeCreated = Schema.decodeUnknownEffect(Schema.Struct({ id: Schema.Int }))

/** What decodes each answer. */
export const decode = {
  account: Schema.decodeUnknownEffect(Account),
  attributes: (body: unknown) => Effect.map(decodeAttributes(body), ({ attributes }) => attributes),
  contact: (asked: Identifier) => (body: unknown) =>
    Effect.map(decodeContact(body), (answer) => toContact(answer, asked)),
  page: (body: unknown): Effect.Effect<ContactPage, Schema.SchemaError> =>
    Effect.map(decodePage(body), ({ contacts, count }) => ({
      contacts: contacts.map((answer) => toContact(answer)),
      count,
    })),
  created: (body: unknown) => Effect.map(decodeCreated(body), ({ id }): string | undefined => String(id)),
  started: (body: unknown) => Effect.map(decodeStarted(body), ({ processId }) => processId),
  process: Schema.decodeUnknownEffect(Process),
  processes: (body: unknown) => Effect.map(decodeProcesses(body), ({ processes }) => processes ?? []),
}
