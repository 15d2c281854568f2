/** The fake Auth0 tenant: the token endpoint and what an extractor reads of users. */
import type { Counters } from "../counters.ts"
import { type Handler, json, type Now, type SandboxAnswer, type SandboxRequest } from "../exchange.ts"
import type { Faults } from "../faults.ts"
import type { SandboxOptions } from "../options.ts"
import type { Directory } from "../users/directory.ts"
import { makeSearch } from "../users/search.ts"
import { type Gate, makeVendor, type Route } from "../vendor.ts"
import { badQuery, failure, noUser, tooMany } from "./errors.ts"
import { exportsPath, filesPath, makeExports } from "./exports.ts"
import { headersOf, limitersOf } from "./limits.ts"
import { makeTokens } from "./tokens.ts"
import { chooseFields, searchUsers } from "./users.ts"

export interface Auth0 {
  readonly handler: Handler
  readonly expireTokens: () => void
}

export interface Auth0Options {
  readonly options: SandboxOptions
  readonly now: Now
  /** The clock of the users' times. */
  readonly dataNow: Now
  readonly counters: Counters
  readonly faults: Faults
  readonly directory: Directory
  /** Called after each answer of GET /users. */
  readonly searched: () => void
}

export const makeAuth0 = ({ options, now, dataNow, counters, faults, directory, searched }: Auth0Options): Auth0 => {
  const tokens = makeTokens(options)
  const search = makeSearch(directory.generator)
  const limiters = limitersOf(options.auth0Plan ?? "professional", options.limits)
  const exports = makeExports({ options, now, dataNow, directory })
  const maxPerPage = options.maxPerPage ?? 100

  const byEmail = ({ query }: SandboxRequest): SandboxAnswer => {
    const email = query.get("email")
    if (email === null || email === "") return badQuery("'Missing required property: email'.")
    return json(
      200,
      directory.byEmail(email).map((user) => chooseFields(user, query)),
    )
  }

  const routes: ReadonlyArray<Route> = [
    { method: "POST", pattern: "/oauth/token", kind: "read", run: (request) => tokens.issue(request, now()) },
    {
      method: "GET",
      pattern: "/api/v2/users",
      kind: "read",
      run: (request) => {
        const answer = searchUsers({ search, directory, maxPerPage }, request.query)
        searched()
        return answer
      },
    },
    {
      method: "GET",
      pattern: "/api/v2/users/:id",
      kind: "read",
      run: ({ query }, [id = ""]) => {
        const user = directory.get(id)
        return user === undefined ? noUser() : json(200, chooseFields(user, query))
      },
    },
    { method: "GET", pattern: "/api/v2/users-by-email", kind: "read", run: byEmail },
    {
      method: "POST",
      pattern: exportsPath,
      kind: "write",
      run: (request, _, fault) => exports.create(request, fault?.kind === "export" ? fault.flaw : undefined),
    },
    {
      method: "GET",
      pattern: "/api/v2/jobs/:id",
      kind: "read",
      run: (request, [id = ""]) => exports.get(request, id),
    },
    {
      method: "GET",
      pattern: filesPath,
      kind: "read",
      run: (request, [id = ""]) => exports.download(request, id),
    },
  ]

  const gate = (request: SandboxRequest, route: Route, time: number): Gate => {
    // Another server, without limits, that knows no tokens.
    if (route.pattern === filesPath) return { headers: {} }
    const isToken = route.pattern === "/oauth/token"
    const isJob = route.pattern.startsWith("/api/v2/jobs/")
    const grant = limiters[isToken ? "token" : isJob ? "jobs" : "users"].take(time)
    const headers = headersOf(grant, time)
    if (!grant.allowed) return { headers, refusal: tooMany({}) }
    const refusal = isToken ? undefined : authorize(request, time)
    return refusal === undefined ? { headers } : { headers, refusal }
  }

  const authorize = (request: SandboxRequest, time: number): SandboxAnswer | undefined => {
    const check = tokens.check(request.headers.authorization, time)
    if (check._tag === "Refused") return failure(401, check.message, check.errorCode)
    if (check.scopes.includes("read:users")) return undefined
    return failure(403, "Insufficient scope, expected any of: read:users", "insufficient_scope")
  }

  const handler = makeVendor({
    vendor: "auth0",
    routes,
    gate,
    throttled: ({ resetSeconds = 1, retryAfter, bare }, time) =>
      tooMany({
        ...(bare ? {} : headersOf({ allowed: false, limit: 40, remaining: 0, resetMillis: resetSeconds * 1000 }, time)),
        ...(retryAfter === undefined ? {} : { "retry-after": retryAfter }),
      }),
    failed: (status) => failure(status, "An internal error occurred"),
    faults,
    counters,
    now,
  })

  return { handler, expireTokens: tokens.expireAll }
}
