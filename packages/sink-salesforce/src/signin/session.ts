/** The session: one sign-in at a time, however many calls find that the old one has ended. */
import { type Api, type CallReason, Unauthorized } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { id18 } from "../ids.ts"
import type { Grant } from "./grants.ts"
import { instanceFor } from "./hosts.ts"

export interface Session {
  readonly token: Redacted.Redacted
  /** Where calls go. */
  readonly instance: string
  /** The organization's id, with 18 characters. */
  readonly organization: string
}

/** There is no `expires_in`: only a 401 tells that a session has ended (salesforce trap 33). */
const Answer = Schema.Struct({
  access_token: Schema.RedactedFromValue(Schema.NonEmptyString),
  instance_url: Schema.NonEmptyString,
  id: Schema.String,
  refresh_token: Schema.optionalKey(Schema.RedactedFromValue(Schema.NonEmptyString)),
})

/** `https://login.salesforce.com/id/00D…/005…` */
const organizationIn = (id: string): string | undefined => /\/id\/(00D[A-Za-z0-9]{12,15})\//.exec(id)?.[1]

export interface Sessions {
  readonly current: Effect.Effect<Session, CallReason>
  /** Forgets the session that a call found ended; one that others have renewed meanwhile stays. */
  readonly renew: (ended: Session) => Effect.Effect<void>
}

const tokenRequest = HttpClientRequest.post("/services/oauth2/token")

export const makeSessions = (tokens: Api, grant: Grant, baseUrl: string | undefined): Sessions => {
  const one = Semaphore.makeUnsafe(1)
  let held: Session | undefined

  const signIn = Effect.gen(function* () {
    const answer = yield* tokens.call({
      name: "salesforce.token",
      bucket: "token",
      request: tokenRequest,
      repeatable: true,
      decode: ({ body }) => Schema.decodeUnknownEffect(Answer)(body),
    })
    if (answer.refresh_token !== undefined && grant.keep !== undefined) yield* grant.keep(answer.refresh_token)
    const organization = organizationIn(answer.id)
    if (organization === undefined) {
      return yield* new Unauthorized({ message: "Salesforce: the sign-in names no organization" })
    }
    const session: Session = {
      token: answer.access_token,
      instance: yield* instanceFor(answer.instance_url, baseUrl),
      organization: id18(organization),
    }
    return session
  })

  const current = one.withPermit(
    Effect.gen(function* () {
      held ??= yield* signIn
      return held
    }),
  )
  const renew = (ended: Session) =>
    Effect.sync(() => {
      if (held === ended) held = undefined
    })
  return { current, renew }
}
