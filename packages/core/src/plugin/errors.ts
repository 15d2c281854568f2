/**
 * What can go wrong between Sluice and a vendor, by what the engine does about it. Each plugin has one file that
 * turns its vendor's answers into these reasons. Messages name what failed and what to do, and carry no value of a
 * record and no secret.
 */
import * as Schema from "effect/Schema"
import type { Outcome } from "./outcome.ts"

const message = { message: Schema.String }

/** Credentials are missing, wrong or expired. The run ends with exit code 3. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", message) {}

/** The credentials are good and not allowed to do this; the message names the scope or plan. Exit code 3. */
export class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", message) {}

/**
 * This machine may not get through to the vendor: a certificate is not trusted, or a proxy refuses. What puts it right
 * is outside of the pipeline file, and the message names it. Exit code 3.
 */
export class Barred extends Schema.TaggedError<Barred>()("Barred", message) {}

/** Asked to slow down for longer than a call waits by itself. The batch or page is tried again after the wait. */
export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", {
  ...message,
  retryAfterMillis: Schema.Finite,
}) {}

/** A daily or monthly allowance is used up. The run stops at once, resumable. */
export class QuotaExhausted extends Schema.TaggedError<QuotaExhausted>()("QuotaExhausted", message) {}

/**
 * An outage or a lost answer. `inDoubt`: the request may have taken effect, so it is repeated only where that is
 * harmless. After the retries the run stops, resumable; rows stay pending, never dead letters.
 */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  ...message,
  inDoubt: Schema.Boolean,
}) {}

/** The vendor refuses this request and would again. The run or route stops. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { ...message, code: Schema.String }) {}

/** One row of the batch spoils it, and the answer does not say which: core halves the batch until it knows. */
export class BatchRefused extends Schema.TaggedError<BatchRefused>()("BatchRefused", {
  ...message,
  code: Schema.String,
}) {}

/** The saved position is no longer accepted: the scan starts over. */
export class PositionLost extends Schema.TaggedError<PositionLost>()("PositionLost", message) {}

/** The vendor does not know the job, or it never started and no row took effect: it is submitted again. */
export class JobLost extends Schema.TaggedError<JobLost>()("JobLost", message) {}

/** An answer that the vendor's description does not allow. The run stops, resumable. */
export class Protocol extends Schema.TaggedError<Protocol>()("Protocol", message) {}

/** The pipeline file asks for something the vendor does not have. Exit code 2. */
export class Misconfigured extends Schema.TaggedError<Misconfigured>()("Misconfigured", {
  ...message,
  /** The key below the source, sink or route that is wrong, where there is one. */
  path: Schema.optionalKey(Schema.Array(Schema.String)),
}) {}

const common = [
  Unauthorized,
  Forbidden,
  Barred,
  RateLimited,
  QuotaExhausted,
  Unavailable,
  Refused,
  Protocol,
  Misconfigured,
] as const

export const SourceReason = Schema.Union([...common, PositionLost])
export type SourceReason = typeof SourceReason.Type

export const SinkReason = Schema.Union([...common, BatchRefused, JobLost])
export type SinkReason = typeof SinkReason.Type

export class SourceError extends Schema.TaggedError<SourceError>()("SourceError", { reason: SourceReason }) {
  override get message(): string {
    return this.reason.message
  }
}

export class SinkError extends Schema.TaggedError<SinkError>()("SinkError", {
  reason: SinkReason,
  /** Rows of the failed batch whose outcome is known all the same: they are settled, the others are not. */
  settled: Schema.optionalKey(
    Schema.Array(
      Schema.declare(
        (value: unknown): value is Outcome => value !== null && typeof value === "object" && "_tag" in value,
      ),
    ),
  ),
}) {
  override get message(): string {
    return this.reason.message
  }
}
