/** The job lane of contacts: many rows in few calls. */
import { type JobWriter, type Limits, Outcome, type SinkError, type StoredBatch } from "@sluice/core"
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { BrevoApi } from "./api.ts"
import { bodiesOf, fullest } from "./bodies.ts"
import type { ContactOptions } from "./config.ts"
import type { Standing } from "./importRow.ts"
import { makeLook } from "./look.ts"
import type { Terms } from "./plan.ts"
import { makeFollow } from "./process.ts"
import { type ReportSource, readReports } from "./reports.ts"
import { makeRoster, type Roster } from "./roster.ts"
import { compare, isLostJob, jobLost, outcomesOf, type Untouched } from "./settle.ts"
import { nothingSent, readRef, sendAll } from "./submit.ts"

/** Of what the engine counts. Bodies are measured as they are built, so these only decide that one usually suffices. */
const LIMITS: Limits = { rows: 16_000, bytes: 7_000_000 }

/** What an import takes, whatever its size: queue, looks at its process, reading back. */
const IMPORT_SECONDS = 50

/** Looks at the process of an import, usually. */
const LOOKS = 3

/** What a connection allows, its share taken off. */
export interface Rates {
  readonly callsPerSecond: number
  readonly looksPerHour: number
}

export interface Importing {
  readonly api: BrevoApi
  readonly rates: Rates
  readonly reports: ReportSource
  readonly key: string
  readonly fields: ReadonlyArray<string>
  readonly options: ContactOptions
  /** For writing: every mapped attribute is there. */
  readonly ready: Effect.Effect<Terms, SinkError>
  readonly terms: Effect.Effect<Terms, SinkError>
}

/** An import needs a list to go to and an address for each row. */
const canImport = ({ options, key, fields }: Importing): boolean =>
  (options.lists.length > 0 || options.import_list !== undefined) && (key === "email" || fields.includes("email"))

const isWorth = (importing: Importing, rows: number): boolean => {
  const { path } = importing.options
  if (path === "upsert" || !canImport(importing)) return false
  return path === "import" ? rows > 0 : rows > IMPORT_SECONDS * importing.rates.callsPerSecond
}

export const importCost = (importing: Importing, rows: number) => {
  if (!isWorth(importing, rows)) return undefined
  const jobs = Math.ceil(rows / LIMITS.rows)
  // Before and after each row's contact is read, a thousand a call; a large account takes more.
  const calls = jobs * (1 + LOOKS) + 2 * Math.ceil(rows / 1000)
  return { calls, seconds: jobs * IMPORT_SECONDS + Math.ceil(calls / importing.rates.callsPerSecond) }
}

const untouchedOf = (roster: Roster, standings: ReadonlyArray<Standing>): Untouched => {
  const found = new Map<string, Outcome>()
  for (const [number, { id }] of roster.rows.entries()) {
    const standing = standings[number]
    if (standing?._tag !== "Equal") continue
    const { remoteId, dropped } = standing
    found.set(id, Outcome.Delivered({ id, effect: "unchanged", remoteId, ...(dropped.length > 0 ? { dropped } : {}) }))
  }
  return found
}

export const makeImports = (importing: Importing): JobWriter => {
  const { api, key, options, rates } = importing
  const look = makeLook(api)
  const follow = makeFollow(api, {
    everyMillis: Math.ceil(3_600_000 / rates.looksPerHour),
    longestMillis: options.import_wait_minutes * 60_000,
  })
  const worth = (rows: number) => isWorth(importing, rows)

  /** Of the batch submitted last: what a crash forgets costs a look by row. */
  let untouched: { readonly batch: string; readonly rows: Untouched } | undefined

  const submit = Effect.fnUntraced(function* (batch: StoredBatch, saveRef: (ref: string) => Effect.Effect<void>) {
    const terms = yield* importing.ready
    const roster = yield* makeRoster(batch, key)
    const looked = yield* look.at(roster, terms)
    if (looked === undefined) return yield* saveRef(JSON.stringify(nothingSent({ modifiedSince: 0, newest: 0 })))
    untouched = { batch: batch.id, rows: untouchedOf(roster, looked.standings) }
    const pieces = looked.standings.flatMap((each) => (each._tag === "Carried" ? [each.piece] : []))
    const bodies = fullest(bodiesOf(pieces))
    const carried = bodies.reduce((sum, { rows }) => sum + rows, 0)
    yield* sendAll(api, worth(carried) ? bodies : [], looked, saveRef)
  })

  /** The engine asks again after a failure: the longest wait is for all of it. */
  let waiting: { readonly ref: string; readonly since: number } | undefined

  const settle = Effect.fnUntraced(function* (text: string, batch: StoredBatch) {
    const ref = Option.getOrUndefined(readRef(text))
    if (ref === undefined) return yield* jobLost()
    if (waiting?.ref !== text) waiting = { ref: text, since: yield* Clock.currentTimeMillis }
    const ended = yield* follow(ref, waiting.since)
    const terms = yield* importing.terms
    const roster = yield* makeRoster(batch, key)
    const compared = yield* compare(api, ref, roster, terms, look)
    if (isLostJob(ref, ended, compared)) return yield* jobLost()
    const reported = yield* readReports(importing.reports, ended, key)
    const rows = untouched?.batch === batch.id ? untouched.rows : new Map<string, Outcome>()
    return Arr.chunksOf(outcomesOf(roster, compared, rows, reported), 1000)
  })

  return {
    limits: LIMITS,
    worth,
    submit,
    settle: (ref, batch) => Stream.fromIterableEffect(settle(ref, batch)),
  }
}
