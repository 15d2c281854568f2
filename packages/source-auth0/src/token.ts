/** The access token: asked for once, kept until shortly before it ends, and read for who it belongs to. */
import { type Api, type CallReason, monotonicMillis } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import type { Auth0Config } from "./config.ts"

export interface Token {
  readonly value: Redacted.Redacted
  /** Scopes by the token's answer or by the token itself; undefined where neither says. */
  readonly scopes: ReadonlyArray<string> | undefined
  readonly claims: Claims
  /** Milliseconds of the monotonic clock; Infinity where only a 401 will tell. */
  readonly refreshAt: number
}

const Claims = Schema.Struct({
  iss: Schema.optionalKey(Schema.String),
  aud: Schema.optionalKey(Schema.Union([Schema.String, Schema.Array(Schema.String)])),
  scope: Schema.optionalKey(Schema.String),
})
type Claims = typeof Claims.Type
const readClaims = Schema.decodeUnknownOption(Schema.fromJsonString(Claims))

/** Read, not verified: it only names what Auth0 has given us. */
const claimsOf = (token: string): Claims => {
  const payload = Base64Url.decodeString(token.split(".")[1] ?? "")
  return Result.isSuccess(payload) ? Option.getOrElse(readClaims(payload.success), () => ({})) : {}
}

const list = (scope: string | undefined) => scope?.split(" ").filter((each) => each !== "")

const Answer = Schema.Struct({
  access_token: Schema.RedactedFromValue(Schema.NonEmptyString),
  scope: Schema.optionalKey(Schema.String),
  expires_in: Schema.optionalKey(Schema.Unknown),
})

/** The tenant's own host, whichever host was asked: a custom domain is the same account. */
export const tenantOf = ({ iss, aud }: Claims, domain: string): string => {
  const candidates = [
    ...(typeof aud === "string" ? [aud] : (aud ?? [])).filter((each) => each.endsWith("/api/v2/")),
    iss,
  ]
  const named = candidates.find((each) => each !== undefined && URL.canParse(each))
  return named === undefined ? domain.toLowerCase() : new URL(named).host
}

/** max(60 s, 10 %) before the end, but never more than half of it; without a usable lifetime only a 401 tells. */
const refreshAt = (now: number, expiresIn: unknown): number => {
  if (typeof expiresIn !== "number" || !(expiresIn > 0)) return Number.POSITIVE_INFINITY
  const margin = Math.min(Math.max(60, expiresIn / 10), expiresIn / 2)
  return now + (expiresIn - margin) * 1000
}

export interface Tokens {
  readonly current: Effect.Effect<Token, CallReason>
  /** Forgets the token, so that the next `current` asks for another; absent for a fixed one. */
  readonly renew?: Effect.Effect<void, CallReason>
}

/** `api` puts the application's proof on each request. */
export const makeTokens = (api: Api, config: Auth0Config): Tokens => {
  const { token } = config
  if (token !== undefined) {
    const claims = claimsOf(Redacted.value(token))
    const fixed = { value: token, scopes: list(claims.scope), claims, refreshAt: Number.POSITIVE_INFINITY }
    return { current: Effect.succeed(fixed) }
  }
  const ask = Effect.gen(function* () {
    const answer = yield* api.call({
      name: "auth0.token",
      bucket: "token",
      request: HttpClientRequest.post("/oauth/token"),
      repeatable: true,
      decode: ({ body }) => Schema.decodeUnknownEffect(Answer)(body),
    })
    const claims = claimsOf(Redacted.value(answer.access_token))
    return {
      value: answer.access_token,
      scopes: list(answer.scope) ?? list(claims.scope),
      claims,
      refreshAt: refreshAt(yield* monotonicMillis, answer.expires_in),
    }
  })
  const one = Semaphore.makeUnsafe(1)
  let held: Token | undefined
  const current = one.withPermits(1)(
    Effect.gen(function* () {
      const now = yield* monotonicMillis
      if (held === undefined || now >= held.refreshAt) held = yield* ask
      return held
    }),
  )
  const renew = Effect.sync(() => {
    held = undefined
  })
  return { current, renew }
}
