/** `sluice check --connect`: what the vendors say. Loaded only when asked: an offline check needs no client and no state. */
import { type CheckFinding, type CheckReport, checkConnected, type Path } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { Loaded } from "../load.ts"
import { readLock } from "../locks.ts"
import { layer } from "../node/index.ts"

/** A finding with the place in the file that it is about, `file:line:column`, and what to do. */
export type Placed = CheckFinding & { readonly place: string; readonly fix?: string | undefined }

export type Connected = CheckReport & { readonly findings: ReadonlyArray<Placed> }

export interface Asking {
  /** The file as it was typed, for a command to paste. */
  readonly file: string
  readonly state: string | undefined
}

export const ask = Effect.fnUntraced(function* (loaded: Loaded, { file, state: stateFile }: Asking) {
  const { plan, env } = loaded
  const lock = yield* readLock(loaded.file)
  const report = yield* checkConnected(plan.pipelines, lock).pipe(Effect.provide(layer({ stateFile, env })))
  const findings = report.findings.map((finding) => ({
    ...finding,
    place: loaded.placeOf(pathOf(finding, loaded)),
    fix: FIXES.get(finding.code)?.(`sluice schema --connect ${file}`),
  }))
  const connected: Connected = { ...report, findings }
  return connected
})

const FIXES: ReadonlyMap<string, (command: string) => string> = new Map([
  ["unknown_field", (command) => `\`${command}\` lists the fields; map one, or add it there`],
  ["lock.old", (command) => `\`${command} --lock\` saves them anew`],
  ["drift", (command) => `\`${command} --lock\` saves what is there now; then \`sluice check\` and \`sluice test\``],
])

/** What a finding is about: a mapped field, else the connection whose vendor said so. */
const pathOf = ({ pipeline, route, connection, path }: CheckFinding, { plan }: Loaded): Path => {
  if (route !== undefined && path !== undefined) return ["pipelines", pipeline, "to", route, ...path]
  const isSource = plan.pipelines.some(({ source }) => source.endpoint.name === connection)
  return [route === undefined && isSource ? "sources" : "sinks", connection]
}
