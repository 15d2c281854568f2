/**
 * One scan of the users from its start or a saved position to its end: by search, slide and sweep, or by an export; and
 * where the next one begins.
 */
import { Misconfigured, type Page, SourceError } from "@sluice/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type Exports, exportUsers } from "./export/export.ts"
import { fits, mustFit } from "./export/fields.ts"
import type { Management } from "./management.ts"
import type { UserOptions } from "./options.ts"
import { endPage, readPosition, type Sliding, slidingFrom, type UsersPosition } from "./position.ts"
import { between, filters, from, type TimeField, without } from "./query.ts"
import { makeReading, type Reading, type Tally, WALL } from "./reading.ts"
import { fieldsOf, type UsersRequest } from "./request.ts"
import { readSet } from "./set.ts"
import { slide } from "./slide.ts"
import { earlier, timeOf } from "./times.ts"

type Pages = Stream.Stream<Page, SourceError>
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
    if (!incremental && position.phase !== "export" && position.field === "updated_at") return fullScan
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

export const countUsers = (management: Management, clauses: ReadonlyArray<string>) => {
  const one = { clauses, sort: "created_at:1", page: 0, perPage: 1, fields: ["user_id"] }
  return Effect.map(management.search(one), ({ total }) => total)
}

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

/**
 * Users from which on an export is worth its wait: search takes a hundred calls for so many, a minute on the smallest
 * plan, and an export a dozen.
 */
const MANY = 10_000

/** A total of exactly the wall may be a capped one, which hides how many there are (auth0 trap 4). */
const many = (total: number | undefined): boolean => total !== undefined && (total >= MANY || total === WALL)

const isWhole = (position: Beginning["position"]): boolean =>
  position.phase === "slide" && position.field === "created_at" && position.bound === undefined

/** Whether a run that begins there takes an export, by how many users there are. */
export const takesExport = (
  request: UsersRequest,
  position: Beginning["position"],
  total: number | undefined,
): boolean =>
  isWhole(position) &&
  (request.options.read === "export" || (request.options.read === "auto" && fits(request) && many(total)))

/** Counts the users first, where that decides. A search needs its first page anyway, and it says how many there are. */
const choose = Effect.fnUntraced(function* (request: UsersRequest, reading: Reading, position: Sliding) {
  const { options, purpose } = request
  const { tally } = reading
  const bySearch = { exports: false, first: undefined }
  // Rule 6: a preview starts nothing.
  if (purpose === "preview" || !isWhole(position) || options.read === "search") return bySearch
  if (options.read === "export") yield* mustFit(request)
  else if (!fits(request)) return bySearch
  const first =
    tally.expected === undefined ? yield* reading.search([...reading.base, from(position.field)], 0) : undefined
  tally.expected ??= first?.total
  return { exports: takesExport(request, position, tally.expected), first }
})

/** The stream ends without an error only when every user that Auth0 could show has been handed over. */
export const scanUsers = (management: Management, exports: Exports, request: UsersRequest, tally: Tally): Pages =>
  Stream.unwrap(
    Effect.gen(function* () {
      const beginning = yield* begin(request)
      if (beginning === undefined) return Stream.empty
      const { options, purpose } = request
      const { position, resumed } = beginning
      const reading = makeReading({
        management,
        field: position.phase === "export" ? "created_at" : position.field,
        base: filters(options),
        tally,
        fields: fieldsOf(request),
        perPage: options.per_page,
      })
      const count = (until: string) => countUsers(management, [between("created_at", undefined, until)])
      if (position.phase === "export") return exportUsers(exports, request, tally, { from: position, count })
      const finish = (next: string | undefined) =>
        Stream.concat(sweep(reading, position.field, next), Stream.succeed(endPage(request.sync, next)))
      if (position.phase === "sweep") return finish(position.next)

      const looks = request.sync === "incremental" && purpose === "run" && !resumed
      const { nothing, start } = looks
        ? yield* lookAhead(management, options, position, tally)
        : { nothing: false, start: position }
      const { exports: exporting, first } = yield* choose(request, reading, position)
      if (exporting) return exportUsers(exports, request, tally, { from: undefined, count })
      const sliding = nothing ? Stream.empty : slide(reading, { start, whole: !resumed, first })
      // What a gap left out is read again: the next scan starts where this one did.
      const rest = Stream.suspend(() => finish(tally.gap === undefined ? start.next : position.next))
      return Stream.concat(sliding, rest)
    }),
  )
