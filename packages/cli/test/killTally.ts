/** Which kills struck, so that one sees that they really do. */
import { nameOf, stages } from "./killHooks.ts"
import type { Instant, Lane } from "./killing.ts"

const kindOf = (instant: Instant): string => {
  const { hook } = instant
  if ("commit" in instant) return hook === undefined ? "any commit" : `commit: ${hook}`
  return hook ?? "any request"
}

export const makeTally = () => {
  const counts = new Map<string, number>()
  const lineOf = (lane: Lane, kind: string, places: ReadonlyArray<string>): string => {
    const found = places.map((at) => `${at} ${counts.get(`${lane} ${kind} ${at}`) ?? 0}`)
    return `${lane.padEnd(7)}${kind.padEnd(20)}${found.join(", ")}`
  }
  const anywhere = [
    { kind: "any request", at: ["arrives", "lost", "answered"] },
    { kind: "any commit", at: ["before", "after"] },
  ]
  const kinds: ReadonlyArray<{ readonly lane: Lane; readonly kind: string; readonly at: ReadonlyArray<string> }> = [
    ...stages.map((stage) => ({ lane: "job" as const, kind: nameOf(stage), at: stage.at })),
    ...anywhere.map((each) => ({ lane: "job" as const, ...each })),
    ...anywhere.map((each) => ({ lane: "memory" as const, ...each })),
  ]

  return {
    add: (lane: Lane, kills: ReadonlyArray<Instant>): void => {
      for (const kill of kills) {
        const kind = `${lane} ${kindOf(kill)} ${kill.at}`
        counts.set(kind, (counts.get(kind) ?? 0) + 1)
      }
    },
    total: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
    table: () => kinds.map(({ lane, kind, at }) => `${lineOf(lane, kind, at)}\n`).join(""),
    /** Kinds that did not strike; `each`: at every one of their places. */
    missing: (each: boolean): ReadonlyArray<string> =>
      kinds.flatMap(({ lane, kind, at }) => {
        const names = at.map((place) => `${lane} ${kind} ${place}`)
        const missed = names.filter((name) => !counts.has(name))
        return each || missed.length === names.length ? missed : []
      }),
  }
}
