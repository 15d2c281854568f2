/** The calls to Persona that accounts and cases need. */
import { type Answer, type Api, type Call, type CallReason, SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { JsonObject, SchemaError } from "effect/Schema"
import { type Trouble, troubleOf, unexpected } from "./errors.ts"
import { type Account, type AccountPage, decode, type FieldSchema } from "./shapes.ts"

export type Reply<A> = { readonly _tag: "Done"; readonly value: A } | Trouble

const done = <A>(value: A): Reply<A> => ({ _tag: "Done", value })
const succeeded = ({ status }: Answer): boolean => status >= 200 && status < 300

/** Decodes a success and reads anything else as trouble. */
const reply =
  <A>(decodeBody: (body: unknown) => Effect.Effect<A, SchemaError>) =>
  (answer: Answer): Effect.Effect<Reply<A>, SchemaError> =>
    succeeded(answer) ? Effect.map(decodeBody(answer.body), done) : Effect.succeed(troubleOf(answer))

const nothing = () => Effect.void

/** The most that a page holds. Without a size Persona gives ten. */
export const PAGE = 100

/** An account that was written, and whether it is new. */
export interface Written {
  readonly account: Account
  readonly isNew: boolean
}

const written =
  (answer: Answer) =>
  (body: unknown): Effect.Effect<Written, SchemaError> =>
    Effect.map(decode.account(body), (account) => ({ account, isNew: answer.status === 201 }))

const body = (attributes: JsonObject, meta?: JsonObject) =>
  HttpClientRequest.bodyJsonUnsafe({ data: { attributes }, ...(meta === undefined ? {} : { meta }) })

const metaBody = (meta: JsonObject) => HttpClientRequest.bodyJsonUnsafe({ meta })

const at = (collection: string, id: string, action = "") => `/${collection}/${encodeURIComponent(id)}${action}`

/** Only these come back: an account holds far more of a person than the mapping knows. */
const sparse = (attributes: ReadonlyArray<string>) =>
  HttpClientRequest.setUrlParam("fields[account]", attributes.join(","))

const keyed = (key: string) => HttpClientRequest.setHeader("idempotency-key", key)

/** How tags of an account change; the names as in the addresses. */
export type TagAction = "add-tag" | "remove-tag"

export type PersonaApi = ReturnType<typeof makePersonaApi>

/** `posts` leaves failures of the service to the caller, who asks again with the next key. */
export const makePersonaApi = ({ calls, posts }: { readonly calls: Api; readonly posts: Api }) => {
  const send = <A>(api: Api, name: string, request: Call<A>["request"], decodeAnswer: Call<A>["decode"]) =>
    api
      // Silence is met by the very same request: by its key, or because writing twice equals writing once.
      .call({ name: `persona.${name}`, bucket: "calls", request, repeatable: true, decode: decodeAnswer })
      .pipe(Effect.mapError((reason: CallReason) => new SinkError({ reason })))

  return {
    /** A harmless read whose answer says which environment the key is of. */
    rateLimits: send(calls, "rate_limits", HttpClientRequest.get("/rate-limits"), nothing),
    /** Of up to 100 reference ids. Not the search, which shows a new account a minute late. */
    accountsByReference: (
      ids: ReadonlyArray<string>,
      after: string | undefined,
      attributes: ReadonlyArray<string>,
    ): Effect.Effect<AccountPage, SinkError> =>
      send(
        calls,
        "accounts.list",
        HttpClientRequest.get("/accounts").pipe(
          HttpClientRequest.setUrlParams({
            "filter[reference-id]": ids.join(","),
            "page[size]": String(PAGE),
            ...(after === undefined ? {} : { "page[after]": after }),
          }),
          sparse(attributes),
        ),
        reply(decode.accounts),
      ).pipe(
        Effect.flatMap((answer) =>
          answer._tag === "Done"
            ? Effect.succeed(answer.value)
            : Effect.fail(unexpected("the list of accounts", answer, ["base_url"])),
        ),
      ),
    account: (id: string, attributes: ReadonlyArray<string>) =>
      send(
        calls,
        "accounts.get",
        HttpClientRequest.get(at("accounts", id)).pipe(sparse(attributes)),
        reply(decode.account),
      ),
    fieldSchemas: (type: string): Effect.Effect<ReadonlyArray<FieldSchema>, SinkError> =>
      send(
        calls,
        "account_types.get",
        HttpClientRequest.get(at("account-types", type)),
        reply(decode.fieldSchemas),
      ).pipe(
        Effect.flatMap((answer) =>
          answer._tag === "Done"
            ? Effect.succeed(answer.value)
            : Effect.fail(unexpected(`the account type ${type}`, answer, ["with", "account_type"])),
        ),
      ),
    /** `upsertBy`: what Persona calls the reference id there; undefined makes an account or conflicts. */
    createAccount: (
      attributes: JsonObject,
      upsertBy: string | undefined,
      idempotencyKey: string,
      shown: ReadonlyArray<string>,
    ) =>
      send(
        posts,
        "accounts.create",
        HttpClientRequest.post("/accounts").pipe(
          body(attributes, upsertBy === undefined ? undefined : { "upsert-by": upsertBy }),
          keyed(idempotencyKey),
          sparse(shown),
        ),
        (answer) => reply(written(answer))(answer),
      ),
    updateAccount: (id: string, attributes: JsonObject, shown: ReadonlyArray<string>) =>
      send(
        calls,
        "accounts.update",
        HttpClientRequest.patch(at("accounts", id)).pipe(body(attributes), sparse(shown)),
        (answer) => reply(written(answer))(answer),
      ),
    /** Deletes the personal data for good; the account stays, empty. */
    redactAccount: (id: string) =>
      send(calls, "accounts.redact", HttpClientRequest.delete(at("accounts", id)), reply(nothing)),
    changeTag: (id: string, action: TagAction, tag: string) =>
      send(
        calls,
        `accounts.${action}`,
        HttpClientRequest.post(at("accounts", id, `/${action}`)).pipe(metaBody({ "tag-name": tag })),
        reply(nothing),
      ),
    /** Tags that are not given are removed. */
    setTags: (id: string, tags: ReadonlyArray<string>) =>
      send(
        calls,
        "accounts.set-tags",
        HttpClientRequest.post(at("accounts", id, "/set-tags")).pipe(metaBody({ "tag-name": tags })),
        reply(nothing),
      ),
    /**
     * Nothing keeps a second case from being made but the key, so a failure of the service is met with the same one too:
     * whoever stands before Persona keeps no answers, and what Persona itself keeps leaves the case in doubt.
     */
    createCase: (attributes: JsonObject, meta: JsonObject, idempotencyKey: string) =>
      send(
        calls,
        "cases.create",
        HttpClientRequest.post("/cases").pipe(body(attributes, meta), keyed(idempotencyKey)),
        reply(decode.caseId),
      ),
    updateCase: (id: string, attributes: JsonObject) =>
      send(
        calls,
        "cases.update",
        HttpClientRequest.patch(at("cases", id)).pipe(body(attributes)),
        reply(decode.caseId),
      ),
  }
}
