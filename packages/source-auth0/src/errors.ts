/** What Auth0's answers mean, for the Management API, its jobs and the token endpoint. Source: auth0.md §4 and §5. */
import {
  type Answer,
  Forbidden,
  type LimitState,
  Misconfigured,
  QuotaExhausted,
  Refused,
  retryAfterMillis,
  Unauthorized,
  type Verdict,
} from "@sluice/core"
import type { Headers } from "effect/http/Headers"
import * as Option from "effect/Option"
import type { Json } from "effect/Schema"
import * as Schema from "effect/Schema"

/** Both error shapes: the Management API's and OAuth's. `errorCode` is absent in many answers. */
const ErrorBody = Schema.Struct({
  error: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.String),
  errorCode: Schema.optionalKey(Schema.String),
  error_description: Schema.optionalKey(Schema.String),
})
type ErrorBody = typeof ErrorBody.Type
const readBody = Schema.decodeUnknownOption(ErrorBody)

type Handling =
  | "accept"
  | "expired"
  | "unauthorized"
  | "scope"
  | "forbidden"
  | "wait"
  | "quota"
  | "retry"
  | "refused"
  | "query"
  | "domain"
  | "audience"

interface Rule {
  readonly status: number
  readonly when?: (body: ErrorBody) => boolean
  readonly handling: Handling
  readonly meaning: string
}

const code =
  (...codes: ReadonlyArray<string>) =>
  (body: ErrorBody) =>
    codes.includes(body.errorCode ?? body.error ?? "")
const mentions = (pattern: RegExp) => (body: ErrorBody) => pattern.test(body.message ?? body.error_description ?? "")

/** The first rule that fits counts; the last of a status takes every other answer with it. */
const management: ReadonlyArray<Rule> = [
  { status: 400, when: code("invalid_paging"), handling: "refused", meaning: "a page beyond the first 1,000 users" },
  // Auth0 calls every parameter of a URL the query; only `q` is the search.
  {
    status: 400,
    when: mentions(/query validation error.* on property (?!q\b)/i),
    handling: "refused",
    meaning: "a parameter is not valid",
  },
  { status: 400, when: code("invalid_query_string"), handling: "query", meaning: "the search is not valid" },
  { status: 400, when: mentions(/'q' parameter|query/i), handling: "query", meaning: "the search is not valid" },
  { status: 400, handling: "refused", meaning: "the request is not valid" },
  { status: 401, when: mentions(/audience/i), handling: "audience", meaning: "the token is for another API or host" },
  { status: 401, handling: "expired", meaning: "the token is not accepted" },
  { status: 403, when: code("insufficient_scope"), handling: "scope", meaning: "a scope is missing" },
  { status: 403, when: mentions(/insufficient scope/i), handling: "scope", meaning: "a scope is missing" },
  {
    status: 403,
    when: code("insufficient_entitlement"),
    handling: "forbidden",
    meaning: "the plan has no such feature",
  },
  { status: 403, handling: "forbidden", meaning: "the application may not do this" },
  // Absence is believed only where Auth0 says it of the user: a wrong path is a 404 too.
  { status: 404, when: code("inexistent_user"), handling: "accept", meaning: "there is no such user" },
  { status: 404, when: mentions(/user does not exist/i), handling: "accept", meaning: "there is no such user" },
  { status: 404, handling: "domain", meaning: "there is no such address" },
  { status: 408, handling: "retry", meaning: "it took too long" },
  { status: 413, handling: "refused", meaning: "the request is too large" },
  { status: 414, handling: "query", meaning: "the search is too long" },
  { status: 429, handling: "wait", meaning: "the rate limit is reached" },
  { status: 501, handling: "refused", meaning: "not available" },
  { status: 503, handling: "retry", meaning: "the service is busy, or the search takes more than 2 seconds" },
]

const jobs: ReadonlyArray<Rule> = [{ status: 404, handling: "accept", meaning: "there is no such job" }, ...management]

const token: ReadonlyArray<Rule> = [
  { status: 400, handling: "refused", meaning: "the token request is not valid" },
  {
    status: 401,
    when: code("invalid_client"),
    handling: "unauthorized",
    meaning:
      "the application's proof is not accepted. With private_key: its public half is a credential of this application, signing_algorithm is that credential's, and this machine's clock is right",
  },
  { status: 401, handling: "unauthorized", meaning: "client_id, client_secret or private_key is not accepted" },
  {
    status: 403,
    when: mentions(/service not enabled|audience/i),
    handling: "audience",
    meaning: "the audience is unknown",
  },
  {
    status: 403,
    when: mentions(/not authorized to access|client-grant|client grant/i),
    handling: "forbidden",
    meaning: "the application is not authorized for the Management API",
  },
  {
    status: 403,
    when: code("unauthorized_client"),
    handling: "forbidden",
    meaning: "the application may not use client credentials",
  },
  { status: 403, handling: "unauthorized", meaning: "the credentials are not accepted" },
  { status: 404, handling: "domain", meaning: "there is no such tenant" },
  { status: 408, handling: "retry", meaning: "it took too long" },
  { status: 429, when: mentions(/quota/i), handling: "quota", meaning: "the application's token quota is used up" },
  { status: 429, handling: "wait", meaning: "the rate limit is reached" },
  { status: 501, handling: "refused", meaning: "not available" },
]

const other = (status: number): Rule =>
  status >= 500
    ? { status, handling: "retry", meaning: "the service failed" }
    : { status, handling: "refused", meaning: "an answer that is not described" }

/** For the HTTP unit: Auth0's own words. */
export const says = (body: Json): string | undefined => {
  const { message, error_description } = Option.getOrElse(readBody(body), (): ErrorBody => ({}))
  return message ?? error_description
}

/** A vendor's text can quote the request, so of it only what looks like a code or a scope is repeated. */
const codeOf = (status: number, body: ErrorBody): string => {
  const said = body.errorCode ?? body.error ?? ""
  return /^[a-z_]{1,40}$/i.test(said) ? said : `http_${status}`
}

const scopesIn = (body: ErrorBody): ReadonlyArray<string> => (body.message ?? "").match(/\b[a-z]+:[a-z_]+\b/g) ?? []

/** Half an hour or more of waiting for a token is a used-up allowance, not a rate. */
const LONG_WAIT = 30 * 60_000

const verdict = (table: ReadonlyArray<Rule>, answer: Answer): Verdict => {
  const { status } = answer
  if (status >= 200 && status < 300) return { _tag: "Accept" }
  const body = Option.getOrElse(readBody(answer.body), (): ErrorBody => ({}))
  const rule = table.find((each) => each.status === status && (each.when?.(body) ?? true)) ?? other(status)
  const message = `Auth0: ${rule.meaning} (${status} ${codeOf(status, body)})${answer.said === undefined ? "" : `, it says: ${answer.said.replace(/\.$/, "")}`}.`
  const wait = retryAfterMillis(answer.headers)
  const throttled: Verdict = { _tag: "Throttled", ...(wait === undefined ? {} : { retryAfterMillis: wait }) }
  switch (rule.handling) {
    case "accept":
      return { _tag: "Accept" }
    case "expired":
      return { _tag: "Expired", message }
    case "retry":
      return { _tag: "Transient", applied: true, message }
    case "wait":
      return throttled
    case "quota":
      return wait !== undefined && wait < LONG_WAIT
        ? throttled
        : { _tag: "Fail", reason: new QuotaExhausted({ message }) }
    case "unauthorized":
      return { _tag: "Fail", reason: new Unauthorized({ message }) }
    case "audience":
      return {
        _tag: "Fail",
        reason: new Unauthorized({
          message: `${message} Set \`audience\` to https://<tenant>.auth0.com/api/v2/ and use one host for all of it.`,
        }),
      }
    case "scope": {
      const scopes = scopesIn(body)
      const missing = scopes.length === 0 ? "a scope" : `one of ${scopes.join(", ")}`
      return {
        _tag: "Fail",
        reason: new Forbidden({ message: `${message} Grant the application ${missing} for the Auth0 Management API.` }),
      }
    }
    case "forbidden":
      return { _tag: "Fail", reason: new Forbidden({ message }) }
    case "query":
      return { _tag: "Fail", reason: new Misconfigured({ message, path: ["with", "query"] }) }
    case "domain":
      return { _tag: "Fail", reason: new Misconfigured({ message, path: ["domain"] }) }
    case "refused":
      return { _tag: "Fail", reason: new Refused({ message, code: codeOf(status, body) }) }
  }
}

export const classify = (answer: Answer): Verdict => verdict(management, answer)
export const classifyJob = (answer: Answer): Verdict => verdict(jobs, answer)
export const classifyToken = (answer: Answer): Verdict => verdict(token, answer)

const count = (headers: Headers, name: string): number | undefined => {
  const value = headers[name]
  return value !== undefined && /^\d{1,12}$/.test(value) ? Number(value) : undefined
}

/**
 * `x-ratelimit-limit` is the bucket's size and `x-ratelimit-reset` the second of its next refill, by Auth0's clock:
 * the answer's own Date is the best reading of it. A refill is never far, so a clock that is off costs a minute.
 */
export const readLimit = (headers: Headers, nowMillis: number): LimitState | undefined => {
  const limit = count(headers, "x-ratelimit-limit")
  const remaining = count(headers, "x-ratelimit-remaining")
  const reset = count(headers, "x-ratelimit-reset")
  if (limit === undefined && remaining === undefined) return undefined
  const date = Date.parse(headers.date ?? "")
  const after = reset === undefined ? 0 : reset * 1000 - (Number.isNaN(date) ? nowMillis : date)
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(remaining === undefined ? {} : { remaining }),
    ...(reset === undefined ? {} : { resetAfterMillis: Math.min(60_000, Math.max(1, after)) }),
  }
}
