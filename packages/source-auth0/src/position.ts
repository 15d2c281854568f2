/** Where a scan of users can resume. Written and read by this plugin alone. */
import { type Page, type Position, PositionLost, SourceError, type SyncMode } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { JobId } from "./export/jobs.ts"
import { Time } from "./times.ts"

const version = Schema.Literal(1)
const field = Schema.Literals(["created_at", "updated_at"])
/** Where the next incremental scan starts, fixed when this one began; absent where nothing was there to see. */
const next = Schema.optionalKey(Time)

/** In the keyset scan: users from `bound` on are to come, those of `seen` excepted. */
const Sliding = Schema.Struct({
  version,
  phase: Schema.Literal("slide"),
  field,
  bound: Schema.optionalKey(Time),
  exclusive: Schema.Boolean,
  seen: Schema.Array(Schema.String),
  next,
})
/** The users without a time are to come. */
const Sweeping = Schema.Struct({ version, phase: Schema.Literal("sweep"), field, next })
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/**
 * In the file of an export job: what comes after so many lines. Auth0 keeps both for 24 hours. `counted`: users of
 * these lines that are as old as the job, which search can count too.
 */
const Exporting = Schema.Struct({
  version,
  phase: Schema.Literal("export"),
  job: JobId,
  lines: Count,
  counted: Count,
})
const Ended = Schema.Struct({
  version,
  phase: Schema.Literal("end"),
  sync: Schema.Literals(["full", "incremental"]),
  next,
})

const UsersPosition = Schema.Union([Sliding, Sweeping, Exporting, Ended])
export type UsersPosition = typeof UsersPosition.Type
export type Sliding = typeof Sliding.Type
export type Exporting = typeof Exporting.Type

const decode = Schema.decodeUnknownEffect(UsersPosition)

export const readPosition = (position: Position) =>
  Effect.mapError(
    decode(position),
    () => new SourceError({ reason: new PositionLost({ message: "Auth0: the saved position is not readable." }) }),
  )

/** A position holds a handful of ids at most; those of a larger tie are read again, which loses nothing. */
export const MOST_SEEN = 100

export const slidingFrom = (
  field: Sliding["field"],
  bound: string | undefined,
  rest: { readonly exclusive?: boolean; readonly seen?: ReadonlySet<string>; readonly next: string | undefined },
): Sliding => ({
  version: 1,
  phase: "slide",
  field,
  ...(bound === undefined ? {} : { bound }),
  exclusive: rest.exclusive ?? false,
  seen: rest.seen === undefined || rest.seen.size > MOST_SEEN ? [] : [...rest.seen],
  ...(rest.next === undefined ? {} : { next: rest.next }),
})

/** The last page of a scan. */
export const endPage = (sync: SyncMode, next: string | undefined): Page => {
  const position: UsersPosition = { version: 1, phase: "end", sync, ...(next === undefined ? {} : { next }) }
  return { records: [], position }
}
