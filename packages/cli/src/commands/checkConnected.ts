/** `sluice check --connect`: what the vendors say. Loaded only when asked: an offline check needs no client and no state. */
import { type CheckFinding, type CheckReport, checkConnected, type Path } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { Loaded } from "../load.ts"
import { readLock } from "../locks.ts"
import { layer } from "../node/index.ts"

/** A finding with the place in the file that it is about, `file:line:column`. */
export type Placed = CheckFinding & { readonly place: string }

export type Connected = CheckReport & { readonly findings: ReadonlyArray<Placed> }

export const ask = Effect.fnUntraced(function* (loaded: Loaded, stateFile: string | undefined) {
  const { plan, env } = loaded
  const lock = yield* readLock(loaded.file)
  const report = yield* checkConnected(plan.pipelines, lock).pipe(Effect.provide(layer({ stateFile, env })))
  const findings = report.findings.map((finding) => ({ ...finding, place: loaded.placeOf(pathOf(finding, loaded)) }))
  const connected: Connected = { ...report, findings }
  return connected
})

/** What a finding is about: a mapped field, else the connection whose vendor said so. */
const pathOf = ({ pipeline, route, connection, path }: CheckFinding, { plan }: Loaded): Path => {
  if (route !== undefined && path !== undefined) return ["pipelines", pipeline, "to", route, ...path]
  const isSource = plan.pipelines.some(({ source }) => source.endpoint.name === connection)
  return [route === undefined && isSource ? "sources" : "sinks", connection]
}
