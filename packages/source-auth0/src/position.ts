/** Where a scan of users can resume. Written and read by this plugin alone. */
import { type Position, PositionLost, SourceError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const version = Schema.Literal(1)
const Time = Schema.String.check(Schema.isPattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/))
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
const Ended = Schema.Struct({
  version,
  phase: Schema.Literal("end"),
  sync: Schema.Literals(["full", "incremental"]),
  next,
})

const UsersPosition = Schema.Union([Sliding, Sweeping, Ended])
export type UsersPosition = typeof UsersPosition.Type
export type Sliding = typeof Sliding.Type

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
