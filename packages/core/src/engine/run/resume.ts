/** Where a run reads from, and what its position will speak for (rule 14). */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import { canonicalJson } from "../../mapping/canonical.ts"
import { type Checkpoint, type Checkpoints, makeCheckpoints } from "../../state/checkpoints.ts"
import { stateFailure } from "../../state/errors.ts"
import { makeFencedTransaction } from "../../state/runs.ts"
import type { Scan } from "./context.ts"
import type { Opening } from "./options.ts"
import type { RouteState } from "./routeState.ts"

/** Where this run reads from: the saved position, if it speaks for these routes, destinations and mappings. */
export const resumePoint = (from: {
  readonly opening: Opening
  /** Of the source. */
  readonly account: string
  readonly states: ReadonlyArray<RouteState>
  readonly sql: SqlClient
  readonly sha256: (text: string) => string
}) =>
  Effect.gen(function* () {
    const { account, sha256, sql, states } = from
    const { pipeline, options, runId } = from.opening
    const stream = sha256(canonicalJson([pipeline.stream.name, pipeline.stream.written, pipeline.sync]))
    // A run of some routes must not move the position of the others: it has one of its own.
    const routes = options.routes === undefined ? null : states.map((state) => state.route.name).sort()
    const scope = sha256(canonicalJson([pipeline.id, account, stream, routes]))
    const checkpoints = makeCheckpoints(
      sql,
      { scope, pipeline: pipeline.id, account, stream: pipeline.stream.name },
      sha256,
    )
    const covers = coverage(states, sha256)
    const saved = Option.getOrUndefined(yield* checkpoints.load.pipe(Effect.mapError(stateFailure)))

    const isTrial = options.limit !== undefined || options.since !== undefined
    const tracksKeys = pipeline.sync === "full" && pipeline.stream.spec.snapshot && !isTrial
    const lost = saved === undefined ? [] : yield* notCovered(saved, covers, states)
    const keeps =
      saved !== undefined && lost.length === 0 && options.fullRefresh !== true && options.since === undefined
    const scan: Scan = {
      id: keeps && saved.open ? saved.scan : runId,
      covers: JSON.stringify(covers),
      saves: !isTrial,
      tracksKeys,
      lost,
    }
    if (saved?.open === true && scan.id !== saved.scan && scan.saves) {
      const begin = startScan(checkpoints, scan, saved.scan)
      yield* makeFencedTransaction(sql, pipeline.id, from.opening.fence)(begin).pipe(Effect.mapError(stateFailure))
    }
    return { checkpoints, scan, position: keeps ? saved.position : Option.none() }
  })

/**
 * Drops a scan that was under way for one from the start. A position left without the keys of the pages before it would
 * make all of those look deleted to the run that resumes there.
 */
export const startScan = (checkpoints: Checkpoints, scan: Scan, dropped: string) =>
  Effect.gen(function* () {
    yield* checkpoints.clearSeen(dropped)
    const at = DateTime.formatIso(yield* DateTime.now)
    yield* checkpoints.save({ covers: scan.covers, position: Option.none(), scan: scan.id, open: true }, at)
  })

const Covers = Schema.Record(Schema.String, Schema.Tuple([Schema.Number, Schema.String]))

/** By route: the ledger it writes to and the fingerprint of its mapping and options. */
type Covers = typeof Covers.Type

const decodeCovers = Schema.decodeUnknownEffect(Schema.fromJsonString(Covers))

const coverage = (states: ReadonlyArray<RouteState>, sha256: (text: string) => string): Covers =>
  Object.fromEntries(
    states.map(({ route, ns }) => [
      route.name,
      [ns, sha256(`${route.mapping.fingerprint}\n${route.optionsFingerprint}`)],
    ]),
  )

/** Why a saved position does not do: what it covered is not what this run writes (rule 14). */
const notCovered = (saved: Checkpoint, covers: Covers, states: ReadonlyArray<RouteState>) =>
  Effect.gen(function* () {
    const before = yield* decodeCovers(saved.covers).pipe(Effect.mapError(stateFailure))
    const reasons: Array<string> = []
    for (const state of states) {
      const { name } = state.route
      const [ns, fingerprint] = before[name] ?? []
      const [currentNs, currentFingerprint] = covers[name] ?? []
      if (ns === currentNs && fingerprint === currentFingerprint) continue
      const known = yield* state.ledger.count.pipe(Effect.mapError(stateFailure))
      reasons.push(
        ns === currentNs
          ? `${name}: mapping changed: all records are read again and up to ${known} rows will be sent again`
          : `${name}: not written to by the last run: all records are read again`,
      )
    }
    return reasons
  })
