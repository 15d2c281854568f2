/** The report of a run, from what its parts counted. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Meter } from "../../http/meter.ts"
import type { Completeness } from "../../plugin/source.ts"
import type { PipelineReport, RunStatus } from "../report.ts"
import type { RunContext } from "./context.ts"
import { identityGap, noCounts, noRecovered } from "./counts.ts"
import type { Halt } from "./halt.ts"
import type { Opening } from "./options.ts"
import { selected, waited } from "./prepare.ts"
import type { RouteState } from "./routeState.ts"

export const makeReport = (opening: Opening, ctx: RunContext | undefined): Effect.Effect<PipelineReport> =>
  Effect.gen(function* () {
    const { halt, meters, pipeline, options } = opening
    const states = ctx?.states ?? []
    for (const state of states) countPending(state)
    const completeness = ctx?.scanned === true ? ((yield* ctx.reader.completeness ?? Effect.undefined) ?? null) : null
    const problem = problemOf(halt.current(), states)
    const status: RunStatus = halt.current()?.status ?? (problem === null ? "completed" : "failed")
    const perRoute = <A>(value: (state: RouteState) => A): Record<string, A> =>
      Object.fromEntries(states.map((state) => [state.route.name, value(state)]))
    const unopened = Object.fromEntries(selected(pipeline, options).map((route) => [route.name, noCounts()]))
    const report: PipelineReport = {
      pipeline: pipeline.name,
      run_id: opening.runId,
      ok: status === "completed" && isClean(states, completeness),
      status,
      read: ctx?.read ?? 0,
      routes: ctx === undefined ? unopened : perRoute((state) => state.counts),
      calls: callsOf(meters),
      waited_ms: Math.round(waited(meters)),
      recovered: perRoute((state) => state.recovered ?? noRecovered()),
      duration_ms: (yield* Clock.currentTimeMillis) - opening.startMillis,
      completeness,
      dropped: perRoute((state) => state.dropped),
      kept: perRoute((state) => state.kept),
      notices: ctx?.notices ?? [],
      error: problem,
      resumable: status !== "completed" && problem?.code !== "Bug",
      versions: versionsOf(opening),
    }
    return report
  })

const versionsOf = ({ pipeline, options }: Opening): { readonly [what: string]: string } => {
  const connected = [pipeline.source, ...selected(pipeline, options).map(({ sink }) => sink)]
  const plugins = connected.flatMap(({ loaded }) => (loaded === undefined ? [] : [[loaded.use, loaded.version]]))
  return { ...options.versions, ...Object.fromEntries(plugins) }
}

/** Counted from the lanes, not as the difference: the identity must be able to fail. */
const countPending = (state: RouteState): void => {
  const waiting = state.lane.unsettled().filter(({ tally }) => tally === "run")
  state.counts.pending = waiting.length + state.unmapped
}

const isClean = (states: ReadonlyArray<RouteState>, completeness: Completeness | null): boolean =>
  completeness?.gap === undefined &&
  states.every(
    ({ counts, guarded, recovered }) =>
      counts.rejected + counts.in_doubt + recovered.rejected + recovered.in_doubt === 0 && !guarded,
  )

const callsOf = (meters: ReadonlyMap<string, Meter>): Record<string, number> =>
  Object.fromEntries([...meters].map(([name, meter]) => [name, meter.calls]))

const problemOf = (halt: Halt | undefined, states: ReadonlyArray<RouteState>): PipelineReport["error"] => {
  const miscounted = states.find((state) => identityGap(state.counts) !== 0)
  if (miscounted !== undefined && halt?.code !== "Bug") {
    const gap = identityGap(miscounted.counts)
    return { code: "Bug", message: `${gap} rows are not accounted for (rule 2)`, route: miscounted.route.name }
  }
  if (halt !== undefined) {
    const { code, message, route } = halt
    return { code, message, ...(route === undefined ? {} : { route }) }
  }
  const stopped = states.find((state) => state.stopped !== undefined)
  return stopped?.stopped === undefined ? null : { ...stopped.stopped, route: stopped.route.name }
}
