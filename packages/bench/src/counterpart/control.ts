/** What the other side is told and what it tells. */
import * as Schema from "effect/Schema"

export const Settings = Schema.Struct({
  users: Schema.Int,
  keys: Schema.Literals(["ordered", "random"]),
  /** Milliseconds before each answer. */
  latency: Schema.Int,
  /** The part of requests that are refused with 503 before anything happens. */
  faults: Schema.Finite,
})
export type Settings = typeof Settings.Type

export const Arrived = Schema.Struct({
  rows: Schema.Int,
  /** Rows with different keys: what arrived twice counts once. */
  keys: Schema.Int,
  calls: Schema.Int,
  refused: Schema.Int,
})
export type Arrived = typeof Arrived.Type

const decodeArrived = Schema.decodeUnknownSync(Schema.fromJsonString(Arrived))

/** Sets the other side anew, its counters at zero. */
export const reset = async (origin: string, settings: Partial<Settings> & Pick<Settings, "users">): Promise<void> => {
  const all: Settings = { keys: "ordered", latency: 0, faults: 0, ...settings }
  await (await fetch(`${origin}/control`, { method: "POST", body: JSON.stringify(all) })).text()
}

/** What the other side has counted since. */
export const arrived = async (origin: string): Promise<Arrived> =>
  decodeArrived(await (await fetch(`${origin}/control`)).text())
