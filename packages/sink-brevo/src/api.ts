/** The calls to Brevo that contacts need, with the shapes of their answers. */
import { type Answer, type Api, type Call, type CallReason, SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"
import { type Trouble, troubleOf, unexpected } from "./errors.ts"

/** How `identifierType` names the ways to address a contact. */
export type IdentifierType = "contact_id" | "ext_id" | "email_id" | "phone_id" | "whatsapp_id" | "landline_number_id"

/** Always sent with its type: a bare number would address somebody else's contact id. */
export interface Identifier {
  readonly type: IdentifierType
  readonly value: string
}

/** What a URL path can carry: `..` would leave it, and half a surrogate pair has no encoding. */
export const addressable = (value: string): boolean =>
  value !== "" && value !== "." && value !== ".." && value.isWellFormed()

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
const Attributes = Schema.Struct({ attributes: Schema.Array(AttributeAnswer) })

const ContactAnswer = Schema.Struct({
  id: Schema.Int,
  email: Schema.optionalKey(Schema.NullOr(Schema.String)),
  ext_id: Schema.optionalKey(Schema.NullOr(Schema.String)),
  emailBlacklisted: Schema.Boolean,
  smsBlacklisted: Schema.Boolean,
  listIds: Schema.Array(Schema.Int),
  listUnsubscribed: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.Int))),
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
  readonly attributes: Schema.JsonObject
}

/** The body of a create or update. Keys that are absent leave what is there. */
export interface ContactBody {
  readonly email?: string
  readonly ext_id?: string
  readonly attributes?: Schema.JsonObject
  readonly emailBlacklisted?: boolean
  readonly smsBlacklisted?: boolean
  readonly listIds?: ReadonlyArray<number>
  readonly unlinkListIds?: ReadonlyArray<number>
  readonly updateEnabled?: boolean
  readonly forceMerge?: boolean
  readonly getId?: boolean
}

export type Reply<A> = { readonly _tag: "Done"; readonly value: A } | Trouble

const Created = Schema.Struct({ id: Schema.Int })

const decodeAccount = Schema.decodeUnknownEffect(Account)
const decodeAttributes = Schema.decodeUnknownEffect(Attributes)
const decodeContact = Schema.decodeUnknownEffect(ContactAnswer)
const decodeCreated = Schema.decodeUnknownEffect(Created)

/** SMS-only contacts get an address made of their digits: it is nobody's e-mail. */
const isPseudoEmail = (email: string): boolean => /^\d+@mailin-sms\.com$/i.test(email)

const text = (value: Schema.Json | undefined): string | undefined =>
  typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined

const toContact =
  (asked: Identifier) =>
  (answer: typeof ContactAnswer.Type): Contact => {
    const attributes = answer.attributes
    const held = Object.hasOwn(attributes, "EXT_ID") ? attributes.EXT_ID : undefined
    const email = answer.email ?? undefined
    return {
      id: String(answer.id),
      email: email === undefined || email === "" || isPseudoEmail(email) ? undefined : email,
      extId: text(answer.ext_id) ?? text(held) ?? (asked.type === "ext_id" ? asked.value : undefined),
      emailBlacklisted: answer.emailBlacklisted,
      smsBlacklisted: answer.smsBlacklisted,
      listIds: answer.listIds,
      left: answer.listUnsubscribed ?? [],
      attributes,
    }
  }

const done = <A>(value: A): Reply<A> => ({ _tag: "Done", value })
const succeeded = (answer: Answer): boolean => answer.status >= 200 && answer.status < 300

/** Decodes a success and reads anything else as trouble. */
const reply =
  <A>(decode: (body: unknown) => Effect.Effect<A, Schema.SchemaError>) =>
  (answer: Answer): Effect.Effect<Reply<A>, Schema.SchemaError> =>
    succeeded(answer) ? Effect.map(decode(answer.body), done) : Effect.succeed(troubleOf(answer))

const nothing = () => Effect.void

const path = ({ value }: Identifier) => `/contacts/${encodeURIComponent(value)}`
const typed = ({ type }: Identifier) => HttpClientRequest.setUrlParam("identifierType", type)

export type BrevoApi = ReturnType<typeof makeBrevoApi>

export const makeBrevoApi = (api: Api) => {
  // Every write is keyed by a unique identifier, so sending it twice equals sending it once.
  const call = <A>(name: string, bucket: string, request: Call<A>["request"], decode: Call<A>["decode"]) =>
    api
      .call({ name, bucket, request, repeatable: true, decode })
      .pipe(Effect.mapError((reason: CallReason) => new SinkError({ reason })))

  const fetched = <A>(what: string, self: Effect.Effect<Reply<A>, SinkError>): Effect.Effect<A, SinkError> =>
    Effect.flatMap(self, (answer) =>
      answer._tag === "Done"
        ? Effect.succeed(answer.value)
        : Effect.fail(new SinkError({ reason: unexpected(what, answer) })),
    )

  return {
    account: fetched(
      "the account",
      call("account.get", "other", HttpClientRequest.get("/account"), reply(decodeAccount)),
    ),
    attributes: fetched(
      "the list of attributes",
      call("attributes.list", "contacts", HttpClientRequest.get("/contacts/attributes"), reply(decodeAttributes)),
    ).pipe(Effect.map(({ attributes }) => attributes)),
    find: (id: Identifier) =>
      call(
        "contacts.get",
        "contacts",
        HttpClientRequest.get(path(id)).pipe(typed(id)),
        reply((body) => Effect.map(decodeContact(body), toContact(id))),
      ),
    /** Answers with the id of the contact, where Brevo says it: it does for a new one. */
    create: (body: ContactBody) =>
      call(
        "contacts.create",
        "contacts",
        HttpClientRequest.post("/contacts").pipe(HttpClientRequest.bodyJsonUnsafe(body)),
        (answer) =>
          answer.status === 204
            ? Effect.succeed(done<string | undefined>(undefined))
            : reply((created) => Effect.map(decodeCreated(created), ({ id }): string | undefined => String(id)))(
                answer,
              ),
      ),
    update: (id: Identifier, body: ContactBody) =>
      call(
        "contacts.update",
        "contacts",
        HttpClientRequest.put(path(id)).pipe(typed(id), HttpClientRequest.bodyJsonUnsafe(body)),
        reply(nothing),
      ),
    remove: (id: Identifier) =>
      call("contacts.delete", "contacts", HttpClientRequest.delete(path(id)).pipe(typed(id)), reply(nothing)),
  }
}
