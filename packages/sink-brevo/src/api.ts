/** The calls to Brevo that contacts need. */
import { type Answer, type Api, type Call, type CallReason, SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Schema from "effect/Schema"
import { type Trouble, troubleOf, unexpected } from "./errors.ts"
import { type ContactPage, decode, type Identifier } from "./shapes.ts"

/** What a URL path can carry: `..` would leave it, and half a surrogate pair has no encoding. */
export const addressable = (value: string): boolean =>
  value !== "" && value !== "." && value !== ".." && value.isWellFormed()

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

const done = <A>(value: A): Reply<A> => ({ _tag: "Done", value })
const succeeded = (answer: Answer): boolean => answer.status >= 200 && answer.status < 300

/** Decodes a success and reads anything else as trouble. */
const reply =
  <A>(decodeBody: (body: unknown) => Effect.Effect<A, Schema.SchemaError>) =>
  (answer: Answer): Effect.Effect<Reply<A>, Schema.SchemaError> =>
    succeeded(answer) ? Effect.map(decodeBody(answer.body), done) : Effect.succeed(troubleOf(answer))

const nothing = () => Effect.void

const path = ({ value }: Identifier) => `/contacts/${encodeURIComponent(value)}`
const typed = ({ type }: Identifier) => HttpClientRequest.setUrlParam("identifierType", type)

/** Contacts of one page: the most Brevo gives. */
export const PAGE = 1000

/** In order of creation, so that contacts made meanwhile come last. */
const pageRequest = (offset: number, modifiedSince: string | undefined) =>
  HttpClientRequest.get("/contacts").pipe(
    HttpClientRequest.setUrlParams({
      limit: PAGE,
      offset,
      sort: "asc",
      ...(modifiedSince === undefined ? {} : { modifiedSince }),
    }),
  )

export type BrevoApi = ReturnType<typeof makeBrevoApi>

export const makeBrevoApi = (api: Api) => {
  const send = <A>(call: Call<A>) =>
    api.call(call).pipe(Effect.mapError((reason: CallReason) => new SinkError({ reason })))

  // Nearly every write is keyed by a unique identifier, so sending it twice equals sending it once.
  const call = <A>(name: string, bucket: string, request: Call<A>["request"], decodeAnswer: Call<A>["decode"]) =>
    send({ name, bucket, request, repeatable: true, decode: decodeAnswer })

  const fetched = <A>(what: string, self: Effect.Effect<Reply<A>, SinkError>): Effect.Effect<A, SinkError> =>
    Effect.flatMap(self, (answer) =>
      answer._tag === "Done"
        ? Effect.succeed(answer.value)
        : Effect.fail(new SinkError({ reason: unexpected(what, answer) })),
    )

  return {
    account: fetched(
      "the account",
      call("account.get", "other", HttpClientRequest.get("/account"), reply(decode.account)),
    ),
    attributes: fetched(
      "the list of attributes",
      call("attributes.list", "contacts", HttpClientRequest.get("/contacts/attributes"), reply(decode.attributes)),
    ),
    createAttribute: (name: string, type: string) =>
      call(
        "attributes.create",
        "contacts",
        HttpClientRequest.post(`/contacts/attributes/normal/${encodeURIComponent(name)}`).pipe(
          HttpClientRequest.bodyJsonUnsafe({ type }),
        ),
        reply(nothing),
      ),
    find: (id: Identifier) =>
      call("contacts.get", "contacts", HttpClientRequest.get(path(id)).pipe(typed(id)), reply(decode.contact(id))),
    /** The account's contacts from an offset on, or those changed since. */
    page: (offset: number, modifiedSince: string | undefined): Effect.Effect<ContactPage, SinkError> =>
      fetched(
        "the list of contacts",
        call("contacts.list", "contacts", pageRequest(offset, modifiedSince), reply(decode.page)),
      ),
    /** Answers with the id of the contact, where Brevo says it: it does for a new one. */
    create: (body: ContactBody) =>
      call(
        "contacts.create",
        "contacts",
        HttpClientRequest.post("/contacts").pipe(HttpClientRequest.bodyJsonUnsafe(body)),
        (answer) =>
          answer.status === 204 ? Effect.succeed(done<string | undefined>(undefined)) : reply(decode.created)(answer),
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
    /**
     * Starts an import; answers with the number of its process. Not repeated by itself: whoever sends it has to know
     * that a process may run whose number never came.
     */
    import: (body: string) =>
      send({
        name: "contacts.import",
        bucket: "contacts",
        request: HttpClientRequest.post("/contacts/import").pipe(HttpClientRequest.bodyText(body, "application/json")),
        repeatable: false,
        decode: reply(decode.started),
      }),
    process: (id: number) =>
      call("processes.get", "processes", HttpClientRequest.get(`/processes/${id}`), reply(decode.process)),
    /** The fifty newest. */
    processes: fetched(
      "the list of processes",
      call(
        "processes.list",
        "processes",
        HttpClientRequest.get("/processes").pipe(HttpClientRequest.setUrlParams({ limit: 50, sort: "desc" })),
        reply(decode.processes),
      ),
    ),
  }
}
