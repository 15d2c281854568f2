/** What Salesforce's answers mean: for a call (a reason, a wait, a retry), and for what a caller has to decide itself. */
import {
  type Answer,
  BatchRefused,
  type CallReason,
  Forbidden,
  Misconfigured,
  QuotaExhausted,
  RateLimited,
  Refused,
  retryAfterMillis,
  SinkError,
  type SinkReason,
  Unauthorized,
  Unavailable,
  type Verdict,
} from "@sluice/core"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type Handling, ruleFor } from "./errorTable.ts"

/** `errorCode` where a call fails, `statusCode` where one of its rows does (salesforce trap 2). */
const Wire = Schema.Struct({
  errorCode: Schema.optionalKey(Schema.String),
  statusCode: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.NullOr(Schema.String)),
  fields: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.String))),
  /** Of a duplicate rule. */
  duplicateResult: Schema.optionalKey(Schema.Unknown),
})
export const WireErrors = Schema.Array(Wire)

/** A vendor's error, read; nothing of it quotes the row. */
export interface Problem {
  readonly code: string
  readonly handling: Handling
  readonly message: string
  readonly fields: ReadonlyArray<string>
  /** Records that a duplicate rule found, or the one that has a value which must be unique. */
  readonly ids: ReadonlyArray<string>
}

const isCode = (text: string): boolean => /^[A-Za-z_]{1,80}$/.test(text)
const isField = (text: string): boolean => /^[A-Za-z][A-Za-z0-9_.:]{0,120}$/.test(text)

/** Ids of whatever a duplicate rule found, wherever they stand. */
const idsIn = (node: unknown): ReadonlyArray<string> => {
  if (Array.isArray(node)) return node.flatMap(idsIn)
  if (typeof node !== "object" || node === null) return []
  return Object.entries(node).flatMap(([name, value]) =>
    name === "Id" && typeof value === "string" && /^[A-Za-z0-9]{15,18}$/.test(value) ? [value] : idsIn(value),
  )
}

/** The record that has a value already, which the text of this one code ends with, in any language: `… with id: 003…`. */
const holderIn = (code: string, says: string): ReadonlyArray<string> => {
  const [, id] = /\bid:\s*([A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?)\b/i.exec(says) ?? []
  return code === "DUPLICATE_VALUE" && id !== undefined ? [id] : []
}

/** `says` is the vendor's text: looked into and dropped. */
export const problemOf = (
  code: string,
  says: string,
  fields: ReadonlyArray<string> = [],
  duplicateResult?: unknown,
): Problem => {
  const rule = ruleFor(code, says)
  const shown = isCode(code) ? code : "UNKNOWN"
  return {
    code: shown,
    handling: rule.handling,
    message: `Salesforce: ${rule.meaning} (${shown})`,
    fields: fields.filter(isField),
    ids: [...new Set([...idsIn(duplicateResult), ...holderIn(code, says)])],
  }
}

export const readProblems = (errors: typeof WireErrors.Type): ReadonlyArray<Problem> =>
  errors.map((each) =>
    problemOf(each.statusCode ?? each.errorCode ?? "", each.message ?? "", each.fields ?? [], each.duplicateResult),
  )

const readErrors = Schema.decodeUnknownOption(WireErrors)

/** A call that failed as a whole. */
export interface Trouble {
  readonly _tag: "Trouble"
  readonly status: number
  readonly problem: Problem
}

const byStatus = (status: number): Problem => {
  const handling: Handling = status === 413 || status === 414 || status === 431 ? "smaller" : "config"
  const meaning = handling === "smaller" ? "the request is too large" : "the request is refused"
  return { code: `http_${status}`, handling, message: `Salesforce: ${meaning} (${status})`, fields: [], ids: [] }
}

/** The error of an answer that is no success, as the vendor or its status tells it. */
export const troubleOf = ({ status, body }: Pick<Answer, "status" | "body">): Trouble => {
  const [first] = readProblems(Option.getOrElse(readErrors(body), () => []))
  return {
    _tag: "Trouble",
    status,
    problem: first === undefined || first.code === "UNKNOWN" ? byStatus(status) : first,
  }
}

export const isExpired = (answer: Answer): boolean =>
  answer.status === 401 && troubleOf(answer).problem.handling === "session"

const succeeded = ({ status }: Answer): boolean => status >= 200 && status < 300

const gone: ReadonlySet<number> = new Set([410])
const busy: ReadonlySet<number> = new Set([420, 429])
const passing: ReadonlySet<number> = new Set([406, 408, 500, 502, 503, 504])
const lasting: ReadonlySet<number> = new Set([405, 415, 501])

const fail = (reason: CallReason): Verdict => ({ _tag: "Fail", reason })

/** Reasons that any call ends with. Undefined: the caller decides. */
const stopping = ({ handling, message }: Problem, status: number): CallReason | undefined => {
  switch (handling) {
    case "credentials":
      return new Unauthorized({ message })
    case "login_rate":
      return new RateLimited({ message, retryAfterMillis: 3_600_000 })
    case "quota":
      return new QuotaExhausted({
        message: `${message}. Run again when calls are free: the count is of the last 24 hours`,
      })
    case "maintenance":
      return new RateLimited({ message, retryAfterMillis: 300_000 })
    default:
      return status === 403 ? new Forbidden({ message }) : undefined
  }
}

/**
 * For the HTTP unit. A session that ended is for api.ts to renew; what concerns rows is accepted and read by
 * `troubleOf`. An error that cannot be read may stand for anything, and is tried again.
 */
export const classify = (answer: Answer): Verdict => {
  if (succeeded(answer) || isExpired(answer)) return { _tag: "Accept" }
  const { status } = answer
  const { problem } = troubleOf(answer)
  if (status === 401) {
    return fail(new Unauthorized({ message: `Salesforce: the session is not accepted (401 ${problem.code})` }))
  }
  if (problem.handling === "crowded" || busy.has(status)) {
    const asked = retryAfterMillis(answer.headers)
    return { _tag: "Throttled", ...(asked === undefined ? {} : { retryAfterMillis: asked }) }
  }
  const reason = stopping(problem, status)
  if (reason !== undefined) return fail(reason)
  if (problem.handling === "smaller") return { _tag: "Accept" }
  if (passing.has(status)) return { _tag: "Transient", applied: true, message: `the server failed (${status})` }
  if (gone.has(status)) {
    return fail(new Misconfigured({ message: problem.message, path: ["api_version"] }))
  }
  if (lasting.has(status)) return fail(new Refused({ message: problem.message, code: problem.code }))
  if (answer.body === undefined && status === 400) {
    return { _tag: "Transient", applied: true, message: `an error that cannot be read (${status})` }
  }
  return status >= 500
    ? { _tag: "Transient", applied: true, message: `the server failed (${status})` }
    : { _tag: "Accept" }
}

/** What a failed write means for its batch. */
export const writeReason = ({ problem }: Trouble): SinkReason => {
  const { code, handling, message } = problem
  const stopped = stopping(problem, 0)
  if (stopped !== undefined) return stopped
  switch (handling) {
    case "config":
      return new Misconfigured({ message })
    case "access":
      return new Forbidden({ message })
    case "storage":
      return new Refused({ message, code })
    case "crowded":
    case "passing":
    case "lock":
      return new Unavailable({ message, inDoubt: false })
    default:
      // One row may be what it objects to: the engine halves the batch until it knows.
      return new BatchRefused({ message, code })
  }
}

/** For calls that are not about rows: what is wrong is the file, or what the user may do. */
export const callFailed = (what: string, { problem }: Trouble, path: ReadonlyArray<string> = []): SinkError => {
  const message = `${problem.message}: ${what}`
  const reason =
    problem.handling === "config" || problem.handling === "stale"
      ? new Misconfigured({ message, path })
      : new Refused({ message, code: problem.code })
  return new SinkError({ reason })
}

/** The route or connection asks for what the organization does not have: every row would fail. */
export const stop = (message: string, path: ReadonlyArray<string>): SinkError =>
  new SinkError({ reason: new Misconfigured({ message: `Salesforce: ${message}`, path }) })

const TokenError = Schema.Struct({
  error: Schema.optionalKey(Schema.String),
  error_description: Schema.optionalKey(Schema.String),
})
const readTokenError = Schema.decodeUnknownOption(TokenError)

/** What to do about a refused sign-in, by what its description says. */
const hints: ReadonlyArray<readonly [RegExp, string]> = [
  [/expired/i, "the refresh token has ended: authorise the app again"],
  [/hasn't approved|not approved|consent/i, "the user has not approved the app: admin-approve it and assign the user"],
  [/audience/i, "the audience is wrong: a sandbox signs in at test.salesforce.com"],
  [/inactive/i, "the user or organization is not active"],
  [/ip restricted/i, "this machine's address is not allowed: relax IP restrictions of the app, or allow it"],
  [/client credentials|no.*run.?as|not supported on this domain/i, "give the app a run-as user, and use the My Domain"],
]

/** For the token endpoint: no refusal is tried again in a loop, for only a person can mend it. */
export const classifyToken = (answer: Answer): Verdict => {
  if (succeeded(answer)) return { _tag: "Accept" }
  const { status } = answer
  if (busy.has(status)) {
    const asked = retryAfterMillis(answer.headers)
    return { _tag: "Throttled", ...(asked === undefined ? {} : { retryAfterMillis: asked }) }
  }
  if (status >= 500 || status === 408)
    return { _tag: "Transient", applied: true, message: `the server failed (${status})` }
  const { error = "", error_description: says = "" } = Option.getOrElse(
    readTokenError(answer.body),
    (): typeof TokenError.Type => ({}),
  )
  // Another process refreshes with the same token right now.
  if (/already being processed/i.test(says))
    return { _tag: "Transient", applied: false, message: "another sign-in is on" }
  const code = isCode(error) ? error : `http_${status}`
  if (/LOGIN_RATE_EXCEEDED|login rate/i.test(`${error} ${says}`)) {
    const message = `Salesforce: too many sign-ins this hour (${code})`
    return fail(new RateLimited({ message, retryAfterMillis: 3_600_000 }))
  }
  const hint = hints.find(([pattern]) => pattern.test(says))?.[1]
  const advice = hint ?? "check login_url, client_id and the credentials of the External Client App"
  const message = `Salesforce: the sign-in is refused (${status} ${code}): ${advice}`
  return fail(status === 403 ? new Forbidden({ message }) : new Unauthorized({ message }))
}
