/** Faults switched on from outside: which request they hit and what they do to it. */
import * as Schema from "effect/Schema"
import type { RouteKind, SandboxRequest, Vendor } from "./exchange.ts"
import type { Dice } from "./random.ts"
import { belowVersion } from "./salesforce/places.ts"

/** How an export job or its file is not what it should be. */
export const ExportFlaw = Schema.Literals([
  "failed",
  "pending_for_ever",
  /** A status that no document names, until it is completed. */
  "odd_status",
  /** Unknown once it would be completed. */
  "lost",
  "other_host",
  "truncated_gzip",
  /** Ends after two thirds of the lines; nothing else tells. */
  "short",
  "partial_line",
  /** Every tenth user comes twice. */
  "duplicated_lines",
  /** The last user comes after 32 MiB without a line's end. */
  "bomb",
])
export type ExportFlaw = typeof ExportFlaw.Type

/** What goes wrong with one request. `after`: the vendor did what it was asked, only the answer is lost. */
export const FaultKind = Schema.Union([
  /** 429 with the vendor's headers, which promise capacity in so many seconds. Nothing takes effect. */
  Schema.Struct({
    kind: Schema.Literal("throttle"),
    resetSeconds: Schema.optionalKey(Schema.Finite),
    /** Sent as is, to try what a client makes of it. */
    retryAfter: Schema.optionalKey(Schema.String),
    /** Without any header. */
    bare: Schema.optionalKey(Schema.Boolean),
    /** Salesforce's 403 has one code for both. Default daily. */
    limit: Schema.optionalKey(Schema.Literals(["daily", "concurrent"])),
  }),
  /** The vendor refuses the whole request with these words, and nothing takes effect. Salesforce and Persona. */
  Schema.Struct({
    kind: Schema.Literal("refused"),
    status: Schema.Int,
    code: Schema.String,
    message: Schema.optionalKey(Schema.String),
  }),
  /** Salesforce refuses the first and then every so manieth row of a call with this code. Default each. */
  Schema.Struct({
    kind: Schema.Literal("rows"),
    code: Schema.String,
    message: Schema.optionalKey(Schema.String),
    every: Schema.optionalKey(Schema.Int),
  }),
  Schema.Struct({ kind: Schema.Literal("error"), status: Schema.Int, when: Schema.Literals(["before", "after"]) }),
  /** Cut connection. `bytes` of the body get through; 0 or none: not even the status line. */
  Schema.Struct({
    kind: Schema.Literal("cut"),
    when: Schema.Literals(["before", "after"]),
    bytes: Schema.optionalKey(Schema.Int),
  }),
  /** The body trickles over so many milliseconds. */
  Schema.Struct({ kind: Schema.Literal("slow"), millis: Schema.Int }),
  /** Nothing comes for so many milliseconds. */
  Schema.Struct({ kind: Schema.Literal("stall"), millis: Schema.Int }),
  /** A complete answer that is not JSON. */
  Schema.Struct({ kind: Schema.Literal("malformed") }),
  /** Half of the JSON, with a content-length that agrees: only parsing can tell. */
  Schema.Struct({ kind: Schema.Literal("truncated") }),
  /** Brevo's POST /contacts/import is answered as ever; then its process meets this fate. */
  Schema.Struct({
    kind: Schema.Literal("import"),
    fate: Schema.Literals([
      /** In process for ever; nothing takes effect. */
      "stuck",
      /** So it ends; nothing took effect. */
      "failed",
      "cancelled",
      /** Fails once its first half took effect. */
      "half",
      /** Completes, but the first and then every so manieth row took no effect, and no report has them. */
      "drops",
      /** Unknown from then on; nothing takes effect. */
      "lost",
      /** Unknown from then on; everything takes effect. */
      "forgotten",
    ]),
    /** For `drops`. Default 10. */
    every: Schema.optionalKey(Schema.Int),
  }),
  /** What becomes of the job that Salesforce's POST /jobs/ingest makes; its rows may be in none of its files. */
  Schema.Struct({
    kind: Schema.Literal("bulk"),
    fate: Schema.Literals([
      /** InProgress for ever. */
      "stuck",
      /** Before any row. */
      "failed",
      /** With half of its rows processed: Timeout, or TooManyLockFailure; or an administrator aborts it. */
      "half",
      "locks",
      "aborted",
      /** Complete, but half of its rows were not processed and are in no file: past the daily allocation of batches. */
      "unrecorded",
      /** Takes three times as long. */
      "retried",
      /** Unknown once it is closed; everything takes effect. */
      "lost",
    ]),
  }),
  /** What becomes of the job that Auth0's POST /api/v2/jobs/users-exports makes. */
  Schema.Struct({ kind: Schema.Literal("export"), flaw: ExportFlaw }),
])
export type FaultKind = typeof FaultKind.Type

/** Which requests a fault hits. All given conditions must hold. */
export const FaultRule = Schema.Struct({
  vendor: Schema.Literals(["auth0", "brevo", "salesforce", "persona"]),
  fault: FaultKind,
  method: Schema.optionalKey(Schema.String),
  /** The path below the vendor's base, or Salesforce's version, starts with this: `/api/v2/users`, `/sobjects`. */
  path: Schema.optionalKey(Schema.String),
  access: Schema.optionalKey(Schema.Literals(["read", "write"])),
  /** Lets so many matching requests pass first. */
  skip: Schema.optionalKey(Schema.Int),
  /** Ends after so many hits. */
  times: Schema.optionalKey(Schema.Int),
  /** Ends so many milliseconds after it was switched on. */
  forMillis: Schema.optionalKey(Schema.Int),
  /** Hits a matching request with this probability, seeded. */
  probability: Schema.optionalKey(Schema.Finite),
})
export type FaultRule = typeof FaultRule.Type

export interface Faults {
  readonly add: (rule: FaultRule) => void
  readonly clear: () => void
  /** How often each rule hit, in the order they were added. */
  readonly fired: () => ReadonlyArray<{ readonly rule: FaultRule; readonly hits: number }>
  /** The first rule that hits this request. */
  readonly pick: (
    vendor: Vendor,
    request: SandboxRequest,
    access: RouteKind,
    nowMillis: number,
  ) => FaultKind | undefined
}

interface ActiveRule {
  readonly rule: FaultRule
  readonly since: number
  matched: number
  hits: number
}

const matches = (rule: FaultRule, vendor: Vendor, request: SandboxRequest, access: RouteKind): boolean =>
  rule.vendor === vendor &&
  (rule.method === undefined || rule.method === request.method) &&
  (rule.path === undefined || belowVersion(request.path).startsWith(rule.path)) &&
  (rule.access === undefined || rule.access === access) &&
  (rule.fault.kind !== "import" || (request.method === "POST" && request.path === "/contacts/import")) &&
  (rule.fault.kind !== "bulk" || (request.method === "POST" && belowVersion(request.path) === "/jobs/ingest")) &&
  (rule.fault.kind !== "export" || (request.method === "POST" && request.path === "/api/v2/jobs/users-exports"))

export const makeFaults = (now: () => number, dice: Dice): Faults => {
  let rules: Array<ActiveRule> = []

  const hits = (active: ActiveRule, nowMillis: number): boolean => {
    const { rule } = active
    if (rule.times !== undefined && active.hits >= rule.times) return false
    if (rule.forMillis !== undefined && nowMillis >= active.since + rule.forMillis) return false
    active.matched += 1
    if (active.matched <= (rule.skip ?? 0)) return false
    return rule.probability === undefined || dice.next() < rule.probability
  }

  return {
    add: (rule) => {
      rules.push({ rule, since: now(), matched: 0, hits: 0 })
    },
    clear: () => {
      rules = []
    },
    fired: () => rules.map(({ rule, hits }) => ({ rule, hits })),
    pick: (vendor, request, access, nowMillis) => {
      for (const active of rules) {
        if (!matches(active.rule, vendor, request, access) || !hits(active, nowMillis)) continue
        active.hits += 1
        return active.rule.fault
      }
      return undefined
    },
  }
}
