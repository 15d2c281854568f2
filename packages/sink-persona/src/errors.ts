/** What Persona's answers mean: for a call (a reason, a wait, a retry) and for a row (a refusal, a conflict, not now). */
import {
  type Answer,
  Forbidden,
  type LimitState,
  Misconfigured,
  QuotaExhausted,
  Refused,
  SinkError,
  Unauthorized,
  type Verdict,
} from "@sluice/core"
import type { Headers } from "effect/http/Headers"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** What an answer says about one row. Its messages are our own: Persona's quote values. */
export type Trouble =
  | { readonly _tag: "Absent" }
  /** Another account has the reference id, or had it. */
  | { readonly _tag: "Taken" }
  | { readonly _tag: "Redacted" }
  /** It changed while it was written: the same again, as a new request. */
  | { readonly _tag: "Stale"; readonly message: string }
  /** The service failed, and it keeps that answer for the idempotency key: only a new key asks again. */
  | { readonly _tag: "Failed"; readonly message: string }
  /** The environment takes no `upsert-by`, or not by this name. */
  | { readonly _tag: "NoUpsert" }
  | {
      readonly _tag: "Rejected"
      readonly code: string
      readonly message: string
      readonly fields: ReadonlyArray<string>
    }

/** `details`, not JSON:API's `detail`, and no machine code. */
const ErrorBody = Schema.Struct({
  errors: Schema.Array(
    Schema.Struct({
      title: Schema.optionalKey(Schema.NullOr(Schema.String)),
      details: Schema.optionalKey(Schema.NullOr(Schema.String)),
      source: Schema.optionalKey(
        Schema.NullOr(Schema.Struct({ pointer: Schema.optionalKey(Schema.NullOr(Schema.String)) })),
      ),
    }),
  ),
})
type ErrorBody = typeof ErrorBody.Type
const readBody = Schema.decodeUnknownOption(ErrorBody)

type Handling =
  /** Ends the call with a reason. */
  | "unauthorized"
  | "forbidden"
  | "quota"
  | "refused"
  /** The call is repeated. */
  | "wait"
  | "retry"
  /** Concerns the row that was sent. */
  | "absent"
  | "taken"
  | "redacted"
  | "stale"
  | "no_upsert"
  | "reject"

interface Rule {
  readonly status: number
  readonly when?: (body: ErrorBody) => boolean
  readonly handling: Handling
  readonly meaning: string
}

const says = (pattern: RegExp) => (body: ErrorBody) =>
  body.errors.some(({ title, details }) => pattern.test(`${title ?? ""} ${details ?? ""}`))

/** The first rule that fits counts. Titles are all there is, so the last rule of a status takes any. */
const table: ReadonlyArray<Rule> = [
  { status: 400, when: says(/upsert[-_ ]?by/i), handling: "no_upsert", meaning: "upsert-by is not taken" },
  { status: 400, handling: "reject", meaning: "a value is not acceptable" },
  { status: 401, handling: "unauthorized", meaning: "the API key is not accepted" },
  { status: 403, when: says(/quota/i), handling: "quota", meaning: "a quota of the plan is used up" },
  {
    status: 403,
    when: says(/\bIP\b/i),
    handling: "forbidden",
    meaning: "this machine's IP address is not among those the key allows",
  },
  {
    status: 403,
    when: says(/environment/i),
    handling: "forbidden",
    meaning: "the environment is not active",
  },
  { status: 403, when: says(/not enabled|feature/i), handling: "forbidden", meaning: "the plan lacks this feature" },
  { status: 403, handling: "forbidden", meaning: "the key lacks the permission for this" },
  { status: 404, handling: "absent", meaning: "there is no such thing" },
  { status: 408, handling: "retry", meaning: "timed out" },
  { status: 409, when: says(/stale/i), handling: "stale", meaning: "it changed while it was written" },
  { status: 409, when: says(/redact/i), handling: "redacted", meaning: "its data was redacted" },
  { status: 409, when: says(/unique|already exists/i), handling: "taken", meaning: "the reference id is taken" },
  // Cut off or not Persona's: which conflict it is the next answer tells.
  { status: 409, when: ({ errors }) => errors.length === 0, handling: "stale", meaning: "a conflict of some kind" },
  { status: 409, handling: "reject", meaning: "it conflicts with what is there" },
  { status: 413, handling: "reject", meaning: "it is too large" },
  { status: 422, handling: "reject", meaning: "a value does not fit its field" },
  { status: 429, when: says(/quota/i), handling: "quota", meaning: "a quota of the product is used up" },
  { status: 429, handling: "wait", meaning: "rate limit" },
  { status: 501, handling: "refused", meaning: "not available" },
]

const other = (status: number): Rule =>
  status >= 500
    ? { status, handling: "retry", meaning: "the service failed" }
    : { status, handling: "refused", meaning: "an answer that is not described" }

const read = (answer: Answer): { readonly rule: Rule; readonly body: ErrorBody } => {
  const body = Option.getOrElse(readBody(answer.body), (): ErrorBody => ({ errors: [] }))
  const rule = table.find((each) => each.status === answer.status && (each.when?.(body) ?? true))
  return { rule: rule ?? other(answer.status), body }
}

const seconds = (headers: Headers, name: string): number | undefined => {
  const value = headers[name]
  return value !== undefined && /^\d{1,9}$/.test(value.trim()) ? Number(value) : undefined
}

/** The window that is closest to its end, of the key or of the environment. */
export const readLimit = (headers: Headers): LimitState | undefined => {
  const limit = seconds(headers, "ratelimit-limit")
  const remaining = seconds(headers, "ratelimit-remaining")
  const reset = seconds(headers, "ratelimit-reset")
  if (limit === undefined && remaining === undefined && reset === undefined) return undefined
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(remaining === undefined ? {} : { remaining }),
    ...(reset === undefined ? {} : { resetAfterMillis: reset * 1000 }),
  }
}

/** Support asks for it, and it names nobody. */
const requestOf = ({ headers }: Answer): string => {
  const id = headers["request-id"]
  return id !== undefined && /^req_\w{1,64}$/.test(id) ? `, ${id}` : ""
}

const messageOf = (answer: Answer, { meaning }: Rule) => `Persona: ${meaning} (${answer.status}${requestOf(answer)})`

/** For the HTTP unit: answers that concern a row are accepted and read by `troubleOf`. */
export const classify = (answer: Answer): Verdict => {
  if (answer.status >= 200 && answer.status < 300) return { _tag: "Accept" }
  const { rule } = read(answer)
  const message = messageOf(answer, rule)
  switch (rule.handling) {
    case "unauthorized":
      return { _tag: "Fail", reason: new Unauthorized({ message }) }
    case "forbidden":
      return { _tag: "Fail", reason: new Forbidden({ message }) }
    case "quota":
      return { _tag: "Fail", reason: new QuotaExhausted({ message }) }
    case "refused":
      return { _tag: "Fail", reason: new Refused({ message, code: `http_${answer.status}` }) }
    case "wait": {
      const reset = seconds(answer.headers, "ratelimit-reset") ?? seconds(answer.headers, "retry-after")
      return { _tag: "Throttled", ...(reset === undefined ? {} : { retryAfterMillis: reset * 1000 }) }
    }
    case "retry":
      return { _tag: "Transient", applied: true, message }
    default:
      return { _tag: "Accept" }
  }
}

/**
 * For requests with an idempotency key: sent again with the key they had, they would get the same failure for a day.
 * https://docs.withpersona.com/idempotence
 */
export const classifyPost = (answer: Answer): Verdict => {
  const verdict = classify(answer)
  return verdict._tag === "Transient" ? { _tag: "Accept" } : verdict
}

/** `/data/attributes/fields/company` is the column `fields.company`, `/data/attributes/name-first` is `name_first`. */
const fieldsOf = (body: ErrorBody): ReadonlyArray<string> =>
  body.errors.flatMap(({ source }) => {
    const [, custom, name] = /^\/data\/attributes\/(fields\/)?([\w-]{1,64})$/.exec(source?.pointer ?? "") ?? []
    if (name === undefined) return []
    return custom === undefined ? [name.replaceAll("-", "_")] : [`fields.${name}`]
  })

/** Reads an answer that a classifier accepted although it is no success. */
export const troubleOf = (answer: Answer): Trouble => {
  const { rule, body } = read(answer)
  const message = messageOf(answer, rule)
  switch (rule.handling) {
    case "absent":
      return { _tag: "Absent" }
    case "taken":
      return { _tag: "Taken" }
    case "redacted":
      return { _tag: "Redacted" }
    case "stale":
      return { _tag: "Stale", message }
    case "no_upsert":
      return { _tag: "NoUpsert" }
    case "retry":
      return { _tag: "Failed", message }
    default:
      return { _tag: "Rejected", code: `http_${answer.status}`, message, fields: fieldsOf(body) }
  }
}

/** The route or connection asks for what the environment does not have: every row would fail. */
export const stop = (message: string, path: ReadonlyArray<string>): SinkError =>
  new SinkError({ reason: new Misconfigured({ message, path }) })

/** For calls that are not about a row. */
export const unexpected = (what: string, trouble: Trouble, path: ReadonlyArray<string>): SinkError => {
  if (trouble._tag === "Absent") return stop(`Persona: ${what} does not exist in this environment`, path)
  const code = trouble._tag === "Rejected" ? trouble.code : trouble._tag
  return new SinkError({ reason: new Refused({ message: `Persona: ${what} was refused`, code }) })
}
