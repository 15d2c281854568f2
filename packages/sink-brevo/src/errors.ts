/** What Brevo's answers mean: for a call (a reason, a wait, a retry) and for a row (a conflict, a refusal, not now). */
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
import type { Json } from "effect/Schema"
import * as Schema from "effect/Schema"

/** What an answer says about one row. Its messages are our own, and of Brevo's words what quotes nothing of the row. */
export type Trouble =
  | { readonly _tag: "Absent" }
  /** Identifiers of the row that belong to another contact; empty where Brevo does not say which. */
  | { readonly _tag: "Conflict"; readonly identifiers: ReadonlyArray<string>; readonly code: string }
  | { readonly _tag: "BadPhone"; readonly fields: ReadonlyArray<string>; readonly code: string }
  | {
      readonly _tag: "Rejected"
      readonly code: string
      readonly message: string
      readonly fields: ReadonlyArray<string>
    }
  | { readonly _tag: "Busy"; readonly message: string }
  /** The route's options are wrong: every row would fail. */
  | { readonly _tag: "BadLists"; readonly message: string }

const ErrorBody = Schema.Struct({
  code: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.String),
  metadata: Schema.optionalKey(
    Schema.NullOr(Schema.Struct({ duplicate_identifiers: Schema.optionalKey(Schema.Array(Schema.String)) })),
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
  | "conflict"
  | "bad_phone"
  | "bad_lists"
  | "reject"
  | "busy"

interface Rule {
  readonly status: number
  readonly when?: (body: ErrorBody) => boolean
  readonly handling: Handling
  readonly meaning: string
}

const code =
  (...codes: ReadonlyArray<string>) =>
  (body: ErrorBody) =>
    body.code !== undefined && codes.includes(body.code)
const mentions = (pattern: RegExp) => (body: ErrorBody) => pattern.test(body.message ?? "")

/** The first rule that fits counts. Codes are an open set at Brevo, so the last rule of a status takes any. */
const table: ReadonlyArray<Rule> = [
  // By metadata, not by code: the code of this same conflict changed in May 2026.
  { status: 400, when: (b) => duplicates(b).length > 0, handling: "conflict", meaning: "an identifier is taken" },
  { status: 400, when: code("duplicate_parameter"), handling: "conflict", meaning: "an identifier is taken" },
  // A membership changed since we looked; the next look sees it.
  {
    status: 400,
    when: mentions(/already (in|removed from) list/i),
    handling: "busy",
    meaning: "its lists just changed",
  },
  // Not any mention of a list: a value can be missing from the list of an attribute's options.
  {
    status: 400,
    when: mentions(/list_?ids?\b|\blist id|^lists? /i),
    handling: "bad_lists",
    meaning: "a list does not exist",
  },
  { status: 400, when: code("missing_parameter"), handling: "reject", meaning: "something it needs is missing" },
  { status: 400, when: code("account_in_process", "duplicate_request"), handling: "busy", meaning: "it is in process" },
  {
    status: 400,
    when: mentions(/phone|\bSMS\b|whatsapp|landline/i),
    handling: "bad_phone",
    meaning: "a bad phone number",
  },
  { status: 400, handling: "reject", meaning: "a value is not acceptable" },
  { status: 401, handling: "unauthorized", meaning: "the API key or this machine's IP address is not accepted" },
  { status: 402, handling: "quota", meaning: "the plan's credits are used up" },
  { status: 403, handling: "forbidden", meaning: "the plan or the key does not allow this" },
  { status: 404, handling: "absent", meaning: "there is no such contact" },
  { status: 405, handling: "refused", meaning: "not available on this plan" },
  { status: 406, handling: "refused", meaning: "the request was not acceptable" },
  { status: 408, handling: "retry", meaning: "timed out" },
  { status: 413, handling: "reject", meaning: "the contact is too large" },
  { status: 422, handling: "reject", meaning: "the contact cannot be processed" },
  { status: 425, handling: "busy", meaning: "the contact or account is being processed" },
  { status: 429, handling: "wait", meaning: "rate limit" },
  { status: 501, handling: "refused", meaning: "not available" },
]

const other = (status: number): Rule =>
  status >= 500
    ? { status, handling: "retry", meaning: "the service failed" }
    : { status, handling: "refused", meaning: "an answer that is not described" }

/** Cut short, or a gateway's page: it may stand for any refusal, a conflict that means success included. */
const unreadable = (status: number): Rule => ({ status, handling: "retry", meaning: "an error that cannot be read" })

const duplicates = (body: ErrorBody): ReadonlyArray<string> => body.metadata?.duplicate_identifiers ?? []

const read = (answer: Answer): { readonly rule: Rule; readonly body: ErrorBody } => {
  const body = Option.getOrElse(readBody(answer.body), (): ErrorBody => ({}))
  const isUnreadable = answer.body === undefined && (answer.status === 400 || answer.status === 422)
  const rule = isUnreadable
    ? unreadable(answer.status)
    : table.find((each) => each.status === answer.status && (each.when?.(body) ?? true))
  return { rule: rule ?? other(answer.status), body }
}

/** A vendor's code is an open string, so only what looks like one is repeated. */
const codeOf = (answer: Answer, body: ErrorBody): string =>
  body.code !== undefined && /^[a-z_]{1,40}$/i.test(body.code) ? body.code : `http_${answer.status}`

const described = (rule: Rule, answer: Answer, body: ErrorBody): string =>
  `Brevo: ${rule.meaning} (${answer.status} ${codeOf(answer, body)})${answer.said === undefined ? "" : `, it says: ${answer.said}`}`

/** For the HTTP unit: Brevo's own words. */
export const says = (body: Json): string | undefined => Option.getOrUndefined(readBody(body))?.message

/** Brevo sends no `Retry-After`: `x-sib-ratelimit-reset` has the seconds until the window of its limit ends. */
const whole = (headers: Headers, name: string): number | undefined => {
  const value = headers[name]
  return value !== undefined && /^\d{1,9}$/.test(value.trim()) ? Number(value) : undefined
}

/** More calls a second than any plan has. A limit above that is 3,600 times the one a second is the hourly one. */
const LARGEST_LIMIT = 6_000
const isHourly = (limit: number) => limit > LARGEST_LIMIT && limit % 3_600 === 0

export const readLimit = (headers: Headers): LimitState | undefined => {
  const limit = whole(headers, "x-sib-ratelimit-limit")
  const remaining = whole(headers, "x-sib-ratelimit-remaining")
  const reset = whole(headers, "x-sib-ratelimit-reset")
  if (limit === undefined && remaining === undefined && reset === undefined) return undefined
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(remaining === undefined ? {} : { remaining }),
    ...(reset === undefined ? {} : { resetAfterMillis: reset * 1000 }),
    ...(limit !== undefined && isHourly(limit) ? { windowMillis: 3_600_000 } : {}),
  }
}

const IP_HINT =
  "If the key is right, authorise this machine's egress IP address in Brevo (Security, Authorized IPs): after 30 days without a new one Brevo blocks unknown addresses"

/** For the HTTP unit: answers that concern a row are accepted and read by `troubleOf`. */
export const classify = (answer: Answer): Verdict => {
  if (answer.status >= 200 && answer.status < 300) return { _tag: "Accept" }
  const { rule, body } = read(answer)
  const what = described(rule, answer, body)
  switch (rule.handling) {
    case "unauthorized":
      return { _tag: "Fail", reason: new Unauthorized({ message: `${what}. ${IP_HINT}` }) }
    case "forbidden":
      return { _tag: "Fail", reason: new Forbidden({ message: what }) }
    case "quota":
      return { _tag: "Fail", reason: new QuotaExhausted({ message: what }) }
    case "refused":
      return { _tag: "Fail", reason: new Refused({ message: what, code: codeOf(answer, body) }) }
    case "wait": {
      const reset = whole(answer.headers, "x-sib-ratelimit-reset")
      return { _tag: "Throttled", ...(reset === undefined ? {} : { retryAfterMillis: reset * 1000 }) }
    }
    case "retry":
      return { _tag: "Transient", applied: true, message: what }
    default:
      return { _tag: "Accept" }
  }
}

const identifierNames: ReadonlyArray<readonly [RegExp, string]> = [
  [/whatsapp/i, "WHATSAPP"],
  [/landline/i, "LANDLINE_NUMBER"],
  [/\bsms\b|phone/i, "SMS"],
  [/\bext_?id\b/i, "ext_id"],
  [/e-?mail/i, "email"],
]
const namedIn = (text: string): ReadonlyArray<string> =>
  identifierNames.flatMap(([pattern, name]) => (pattern.test(text) ? [name] : []))

/** Reads an answer that `classify` accepted although it is no success. */
export const troubleOf = (answer: Answer): Trouble => {
  const { rule, body } = read(answer)
  const code = codeOf(answer, body)
  const message = described(rule, answer, body)
  switch (rule.handling) {
    case "absent":
      return { _tag: "Absent" }
    case "conflict": {
      const listed = duplicates(body)
      return {
        _tag: "Conflict",
        identifiers: namedIn(listed.length > 0 ? listed.join(" ") : (body.message ?? "")),
        code,
      }
    }
    case "bad_phone":
      return { _tag: "BadPhone", fields: namedIn(body.message ?? "").filter((name) => name !== "email"), code }
    case "bad_lists":
      return { _tag: "BadLists", message: `${message}: check the route's \`with: lists\` against the account's lists` }
    case "busy":
      return { _tag: "Busy", message }
    default:
      return { _tag: "Rejected", code, message, fields: namedIn(body.message ?? "") }
  }
}

/** For calls that are not about a row, where any trouble means a wrong address or account. */
export const unexpected = (what: string, trouble: Trouble): Misconfigured | Refused =>
  trouble._tag === "Absent"
    ? new Misconfigured({ message: `Brevo: ${what} was not found: check base_url`, path: ["base_url"] })
    : new Refused({
        message: `Brevo: ${what} was refused`,
        code: trouble._tag === "Rejected" || trouble._tag === "Conflict" ? trouble.code : trouble._tag,
      })

/** The route or connection asks for what the account does not have: every row would fail. */
export const stop = (message: string, path: ReadonlyArray<string>): SinkError =>
  new SinkError({ reason: new Misconfigured({ message, path }) })
