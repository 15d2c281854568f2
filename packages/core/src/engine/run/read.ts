/** READ: pages come from the source, are mapped for every route and put on its lane. */
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import { spanned } from "../../http/spanned.ts"
import type { SourceError } from "../../plugin/errors.ts"
import type { Page, Position, SourceRecord } from "../../plugin/record.ts"
import type { ScanRequest } from "../../plugin/source.ts"
import type { StateFailure } from "../../state/errors.ts"
import { arrive } from "./arrive.ts"
import type { RunContext } from "./context.ts"
import type { Arrival } from "./entry.ts"
import type { OpenPage } from "./frontier.ts"
import { letCallsLeave } from "./letCallsLeave.ts"
import type { RouteState } from "./routeState.ts"
import { commitFrontier, progress } from "./settle.ts"
import { awaitRoom } from "./workers.ts"

/** Pages of data ahead of the routes: one in the buffer, one in hand. */
const pagesAhead = 1

/** How often a source that is away is asked again from where it stopped, without a page in between. */
const maxRestarts = 3

/** How often a scan starts over: a page proves nothing where each scan loses its place again. */
const maxLosses = 3

export type ReadFailure = SourceError | StateFailure

export interface Reading {
  readonly request: ScanRequest
  /** Of all the records of the run. */
  readonly limit?: number | undefined
  /** Answers whether to go on. */
  readonly each: (page: Page) => Effect.Effect<boolean, StateFailure>
  readonly restarted: Effect.Effect<void, StateFailure>
}

/**
 * Reads a scan to its end or limit. It is resumed where the source failed for a time; a source that has lost its
 * position is read from the start.
 */
export const readPages = (
  ctx: RunContext,
  { each, limit, request, restarted }: Reading,
): Effect.Effect<void, ReadFailure> =>
  Effect.gen(function* () {
    const last = yield* Ref.make<Option.Option<Position>>(request.from)
    let failures = 0
    let losses = 0
    const once = Effect.gen(function* () {
      const from = yield* Ref.get(last)
      const pages = ctx.reader
        .read({ ...request, from })
        .pipe(limit === undefined ? identity : upTo(limit - ctx.read), Stream.buffer({ capacity: pagesAhead }))
      yield* Stream.runForEachWhile(pages, (page) =>
        Effect.suspend(() => {
          failures = 0
          return each(page)
        }).pipe(Effect.tap(Ref.set(last, Option.some(page.position)))),
      )
    })
    const again = (error: ReadFailure): Effect.Effect<void, ReadFailure> =>
      Effect.gen(function* () {
        if (error._tag !== "SourceError") return yield* Effect.fail(error)
        const { reason } = error
        failures += 1
        if (failures > maxRestarts) return yield* Effect.fail(error)
        switch (reason._tag) {
          case "PositionLost":
            losses += 1
            if (losses > maxLosses) return yield* Effect.fail(error)
            yield* restarted
            yield* Ref.set(last, Option.none())
            break
          case "RateLimited":
            yield* Effect.sleep(reason.retryAfterMillis)
            break
          case "Unavailable":
            yield* Effect.sleep(1000 * 4 ** failures)
            break
          default:
            return yield* Effect.fail(error)
        }
        return yield* attempt
      })
    const attempt: Effect.Effect<void, ReadFailure> = Effect.suspend(() => once.pipe(Effect.catch(again)))
    yield* attempt
  })

/** Ends with the page that has the last of so many records, so that nobody asks the source for one more. */
const upTo =
  (records: number) =>
  <E>(pages: Stream.Stream<Page, E>): Stream.Stream<Page, E> =>
    Stream.suspend(() => {
      let left = records
      return Stream.takeUntil(pages, (page) => {
        left -= page.records.length
        return left <= 0
      })
    })

/** Takes one page in, and answers whether to go on. `limit` cuts it short: its position is not one to resume at. */
export const takePage = (
  ctx: RunContext,
  page: Page,
  limit: number | undefined,
): Effect.Effect<boolean, StateFailure> =>
  spanned(takeRecordsOf(ctx, page, limit), "sluice.page", () => ({
    attributes: { "sluice.records": page.records.length },
  }))

const takeRecordsOf = Effect.fnUntraced(function* (
  ctx: RunContext,
  page: Page,
  limit: number | undefined,
): Effect.fn.Return<boolean, StateFailure> {
  const room = limit === undefined ? page.records.length : Math.max(0, limit - ctx.read)
  const records = page.records.slice(0, room)
  // The source asks for the next page as it hands over this one.
  yield* letCallsLeave
  yield* awaitRoom(ctx, page.records.length)
  const open: OpenPage = {
    position: records.length < page.records.length ? undefined : page.position,
    records: records.length,
    keys: ctx.scan.tracksKeys ? records.map((record) => record.key) : [],
    open: records.length * ctx.states.length,
  }
  // A stopped route leaves every later page open: nothing would ever pass them, and they would only pile up (rule 12).
  if (ctx.states.every((state) => state.stopped === undefined)) ctx.frontier.add(open)
  ctx.read += records.length
  for (const state of ctx.states) yield* takeRecords(ctx, state, records, open, page.position)
  yield* commitFrontier(ctx, "due")
  yield* ctx.emit(progress(ctx))
  return hasOpenRoute(ctx)
})

/** Some route still takes rows; else there is nobody to read for. */
export const hasOpenRoute = (ctx: RunContext): boolean => ctx.states.some((state) => state.stopped === undefined)

const takeRecords = Effect.fnUntraced(function* (
  ctx: RunContext,
  state: RouteState,
  records: ReadonlyArray<SourceRecord>,
  open: OpenPage,
  position: Position,
) {
  if (state.stopped !== undefined) {
    // Rule 13: its rows are pending and hold the position; the other routes go on.
    state.counts.read += records.length
    state.unmapped += records.length
    return
  }
  yield* arrive(ctx, state, yield* mapRecords(ctx, state, records, { pages: [open], position, tally: "run" }))
})

export const mapRecords = (
  ctx: RunContext,
  state: RouteState,
  records: ReadonlyArray<SourceRecord>,
  { pages, position, tally }: Pick<Arrival, "pages" | "position" | "tally">,
): Effect.Effect<ReadonlyArray<Arrival>> =>
  Effect.map(state.route.mapping.map(records, ctx.startMillis), (mapped) =>
    mapped.map((each) => ({ id: each.record.key, mapped: each, pages, position, tally })),
  )
