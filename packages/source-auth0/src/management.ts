/** The calls to the Management API that the users stream needs, with the shapes of their answers. */
import { type Answer, type Api, SourceError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"

/** A user as Auth0 sent it: `user_id` is certain, all else is not. */
export interface User extends Schema.JsonObject {
  readonly user_id: string
}

export const isUser = (value: unknown): value is User =>
  value !== null &&
  typeof value === "object" &&
  "user_id" in value &&
  typeof value.user_id === "string" &&
  value.user_id !== ""

const User = Schema.declare(isUser, { expected: "a user with a user_id" })

/** With `include_totals`. The bare array that comes without it is another shape, and no empty list (auth0 trap 3). */
const Found = Schema.Struct({
  users: Schema.Array(User),
  /** Users a page can hold: Auth0 may cut what was asked for without an error. */
  limit: Schema.Int.check(Schema.isGreaterThan(0)),
  /** A hint: it may be capped at 1,000. */
  total: Schema.optionalKey(Schema.Int),
})
export type Found = typeof Found.Type

export interface Search {
  readonly clauses: ReadonlyArray<string>
  readonly sort: string
  readonly page: number
  readonly perPage: number
  /** Root fields to ask for; all where undefined. */
  readonly fields: ReadonlyArray<string> | undefined
}

/** Commas part the names and dots go into them, so a provider's claim named like a URL comes only with all the rest. */
const chosen = (fields: ReadonlyArray<string> | undefined): Record<string, string> =>
  fields?.every((name) => /^[\w-]+$/.test(name)) === true ? { fields: fields.join(","), include_fields: "true" } : {}

const call = <A>(
  api: Api,
  name: string,
  request: HttpClientRequest.HttpClientRequest,
  decode: (answer: Answer) => Effect.Effect<A, Schema.SchemaError>,
) =>
  Effect.mapError(
    api.call({ name, bucket: "users", request, repeatable: true, decode }),
    (reason) => new SourceError({ reason }),
  )

const decodeFound = Schema.decodeUnknownEffect(Found)
const decodeUsers = Schema.decodeUnknownEffect(Schema.Array(User))

export interface Management {
  readonly search: (search: Search) => Effect.Effect<Found, SourceError>
  /** Straight from the primary store, complete, never late. */
  readonly byId: (
    id: string,
    fields: ReadonlyArray<string> | undefined,
  ) => Effect.Effect<ReadonlyArray<User>, SourceError>
  /** Case-sensitive; several users may share an address. */
  readonly byEmail: (
    email: string,
    fields: ReadonlyArray<string> | undefined,
  ) => Effect.Effect<ReadonlyArray<User>, SourceError>
}

export const makeManagement = (api: Api): Management => ({
  // https://auth0.com/docs/api/management/v2/users/get-users
  search: ({ clauses, sort, page, perPage, fields }) =>
    call(
      api,
      "auth0.users.search",
      HttpClientRequest.get("/api/v2/users", {
        urlParams: {
          q: clauses.join(" AND "),
          search_engine: "v3",
          sort,
          page: String(page),
          per_page: String(perPage),
          include_totals: "true",
          ...chosen(fields),
        },
      }),
      ({ body }) => decodeFound(body),
    ),
  // https://auth0.com/docs/api/management/v2/users/get-users-by-id
  byId: (id, fields) => {
    // An id that a path cannot carry is nobody's.
    if (id === "" || id === "." || id === ".." || !id.isWellFormed()) return Effect.succeed([])
    const This = Schema.declare((value: unknown): value is User => isUser(value) && value.user_id === id, {
      expected: "the user that was asked for",
    })
    return call(
      api,
      "auth0.users.get",
      HttpClientRequest.get(`/api/v2/users/${encodeURIComponent(id)}`, { urlParams: chosen(fields) }),
      ({ status, body }) =>
        status === 404 ? Effect.succeed([]) : Effect.map(Schema.decodeUnknownEffect(This)(body), (user) => [user]),
    )
  },
  // https://auth0.com/docs/api/management/v2/users-by-email/get-users-by-email
  byEmail: (email, fields) =>
    email === ""
      ? Effect.succeed([])
      : call(
          api,
          "auth0.users.by_email",
          HttpClientRequest.get("/api/v2/users-by-email", { urlParams: { email, ...chosen(fields) } }),
          ({ body }) => decodeUsers(body),
        ),
})
