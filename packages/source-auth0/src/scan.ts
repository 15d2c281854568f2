/** One scan of the users from its start or a saved position to its end: slide, sweep, and where the next one begins. */
import { Misconfigured, type Page, type ScanRequest, SourceError } from "@sluice/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Management } from "./management.ts"
import type { UserOptions } from "./options.ts"
import { readPosition, type Sliding, slidingFrom, type UsersPosition } from "./position.ts"
import { filters, from, type TimeField, without } from "./query.ts"
import { makeReading, type Reading, type Tally } from "./reading.ts"
import { readSet } from "./set.ts"
import { slide } from "./slide.ts"
import { earlier, timeOf } from "./times.ts"

type Pages = Stream.Stream<Page, SourceError>
export type UsersRequest = ScanRequest<UserOptions>

/** What every record needs: its key, its version, and the time scans go by. */
const own = ["user_id", "created_at", "updated_at"]

/** The root fields to ask for; undefined for all. */
export const fieldsOf = ({ fields, purpose }: UsersRequest): ReadonlyArray<string> | undefined => {
  if (purpose === "keys") return own
  return fields === "all" ? undefined : [...new Set([...own, ...fields])]
}

const sinceOf = (since: string) =>
  Number.isNaN(Date.parse(since))
    ? Effect.fail(new SourceError({ reason: new Misconfigured({ message: "--since is not an ISO time." }) }))
    : Effect.succeed(new Date(since).toISOString())

/** What a scan begins with: a full one by creation, which never changes; an incremental one by the last change. */
interface Beginning {
  readonly position: Exclude<UsersPosition, { readonly phase: "end" }>
  readonly resumed: boolean
}

const fullScan: Beginning = { position: slidingFrom("created_at", undefined, { next: undefined }), resumed: false }

const changesFrom = (time: string): Beginning => ({
  position: slidingFrom("updated_at", time, { next: time }),
  resumed: false,
})

/** Undefined: there is nothing left to do. */
export const begin = Effect.fnUntraced(function* (request: UsersRequest) {
  const incremental = request.sync === "incremental"
  if (Option.isNone(request.from)) {
    return incremental && Option.isSome(request.since) ? changesFrom(yield* sinceOf(request.since.value)) : fullScan
  }
  const position = yield* readPosition(request.from.value)
  if (position.phase !== "end") {
    // A full scan does not end what began as a scan of changes.
    if (!incremental && position.field === "updated_at") return fullScan
    return { position, resumed: true }
  }
  if (incremental) return position.next === undefined ? fullScan : changesFrom(position.next)
  return position.sync === "full" ? undefined : fullScan
})

/**
 * Where the next incremental scan starts: the overlap before the newest change that search could see when this one
 * began, by Auth0's own times. Not the newest one read: what changes behind a scan's back while it runs, or is indexed
 * late meanwhile, is older than that. Counts the users to come, too.
 */
const lookAhead = Effect.fnUntraced(function* (
  management: Management,
  options: UserOptions,
  start: Sliding,
  tally: Tally,
) {
  const clauses = [...filters(options), from("updated_at", start.field === "updated_at" ? start.bound : undefined)]
  const fields = ["user_id", "updated_at"]
  const { users, total } = yield* management.search({ clauses, sort: "updated_at:-1", page: 0, perPage: 1, fields })
  const [newest] = users
  const time = newest === undefined ? undefined : timeOf(newest, "updated_at")
  tally.expected = total
  const overlap = Duration.toMillis(options.overlap)
  tally.overlap = Math.round(overlap / 1000)
  const { next: _, ...rest } = start
  if (time === undefined) return { nothing: users.length === 0 && total === 0 && start.field === "updated_at", start }
  return { nothing: false, start: { ...rest, next: later(start.next, earlier(time, overlap)) } }
})

const later = (a: string | undefined, b: string): string => (a !== undefined && Date.parse(a) > Date.parse(b) ? a : b)

const sweep = (reading: Reading, field: TimeField, next: string | undefined): Pages =>
  Stream.suspend(() => {
    const before = reading.tally.delivered
    const position: UsersPosition = { version: 1, phase: "sweep", field, ...(next === undefined ? {} : { next }) }
    const set = { clauses: [...reading.base, without(field)], position, handedOver: new Set<string>() }
    const count = Effect.sync(() => {
      reading.tally.swept += reading.tally.delivered - before
    })
    return Stream.concat(readSet(reading, set), Stream.fromEffectDrain(count))
  })

const endPage = (request: UsersRequest, next: string | undefined): Page => {
  const position: UsersPosition = {
    version: 1,
    phase: "end",
    sync: request.sync,
    ...(next === undefined ? {} : { next }),
  }
  return { records: [], position }
}

/** The stream ends without an error only when every user that search could see has been handed over. */
export const scanUsers = (management: Management, request: UsersRequest, tally: Tally): Pages =>
  Stream.unwrap(
    Effect.gen(function* () {
      const beginning = yield* begin(request)
      if (beginning === undefined) return Stream.empty
      const { options } = request
      const { position, resumed } = beginning
      const reading = makeReading({
        management,
        field: position.field,
        base: filters(options),
        tally,
        fields: fieldsOf(request),
        perPage: options.per_page,
      })
      const finish = (next: string | undefined) =>
        Stream.concat(sweep(reading, position.field, next), Stream.succeed(endPage(request, next)))
      if (position.phase === "sweep") return finish(position.next)

      const looks = request.sync === "incremental" && request.purpose === "run" && !resumed
      const { nothing, start } = looks
        ? yield* lookAhead(management, options, position, tally)
        : { nothing: false, start: position }
      const sliding = nothing ? Stream.empty : slide(reading, { start, whole: !resumed })
      // What a gap left out is read again: the next scan starts where this one did.
      const rest = Stream.suspend(() => finish(tally.gap === undefined ? start.next : position.next))
      return Stream.concat(sliding, rest)
    }),
  )
