/** A sink plugin that a script makes fail: before and after the write, for one row, for a batch, without an answer. */
import {
  type Batch,
  BatchRefused,
  Outcome,
  Protocol,
  QuotaExhausted,
  RateLimited,
  type Row,
  type Sink,
  SinkError,
  type SinkReason,
  Unavailable,
} from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Destination } from "./destination.ts"
import type { Dice } from "./dice.ts"
import type { Machine } from "./machine.ts"
import type { Probe } from "./oracles.ts"

export interface SinkScript {
  readonly machine: Machine
  readonly destination: Destination
  readonly dice: Dice
  readonly rows: number
  readonly concurrency: number
  readonly bytes: number | undefined
  readonly partitions: boolean
  /** Refuses a batch whole where it cannot take one of its rows. */
  readonly refusesBatches: boolean
  readonly faults: () => number
  /** Probability that a row is not taken for now. */
  readonly busy: () => number
  readonly latencyMillis: () => number
  readonly turned: () => void
  readonly contentOf: (row: Row) => string
  readonly isRefused: (row: Row) => boolean
}

/** An object at the destination. */
interface Held {
  key: string
  readonly id: string
}

export interface ScriptedSink extends Probe {
  readonly sink: Sink
}

const lasting = (reason: SinkReason, settled?: ReadonlyArray<Outcome>) =>
  new SinkError({ reason, ...(settled === undefined ? {} : { settled }) })

export const scriptedSink = (script: SinkScript): ScriptedSink => {
  const { machine, destination, dice } = script
  const { route, repeatable } = destination.options
  const objects = new Map<string, Held>()
  const byKey = new Map<string, string>()
  const inFlight = { ids: new Map<string, Row>(), keys: new Set<string>(), partitions: new Set<string>() }
  let recent: Array<ReadonlyArray<Row>> = []
  let acknowledged = 0
  let next = 1

  const partitionOf = (row: Row): string => String(row.id.charCodeAt(row.id.length - 1) % 2)

  const apply = (row: Row): Outcome => {
    const remote = row.remoteId !== undefined && objects.has(row.remoteId) ? row.remoteId : byKey.get(row.key)
    const held = remote === undefined ? undefined : objects.get(remote)
    if (row.change === "delete") {
      if (held !== undefined && remote !== undefined) {
        objects.delete(remote)
        byKey.delete(held.key)
        destination.applied(held.id, undefined, "deleted")
      }
      return Outcome.Delivered({ id: row.id, effect: "deleted" })
    }
    if (held === undefined || remote === undefined) {
      const made = `r${next++}`
      objects.set(made, { key: row.key, id: row.id })
      byKey.set(row.key, made)
      destination.applied(row.id, script.contentOf(row), "created")
      return Outcome.Delivered({ id: row.id, effect: "created", remoteId: made })
    }
    const owner = byKey.get(row.key)
    if (owner !== undefined && owner !== remote) {
      return Outcome.Rejected({ id: row.id, code: "taken", message: "the key belongs to another object" })
    }
    if (held.id !== row.id) destination.displaced(held.id)
    byKey.delete(held.key)
    byKey.set(row.key, remote)
    objects.set(remote, { key: row.key, id: row.id })
    destination.applied(row.id, script.contentOf(row), "updated")
    return Outcome.Delivered({ id: row.id, effect: "updated", remoteId: remote })
  }

  const take = (rows: ReadonlyArray<Row>, isSilent = false): ReadonlyArray<Outcome> =>
    rows.map((row) => {
      if (row.change === "upsert" && script.isRefused(row)) {
        return Outcome.Rejected({ id: row.id, code: "poison", message: "refused" })
      }
      // Busiest with what it may just have taken without saying so.
      const isDoubtful = destination.track(row.id)?.doubtful === true
      const busy = script.busy() > 0 && isDoubtful ? 0.97 : script.busy()
      if (!isSilent && dice.chance(Math.max(busy, script.faults() / 2))) {
        return Outcome.Deferred({ id: row.id, message: "busy", retryAfterMillis: 500 })
      }
      return apply(row)
    })

  type Answer = { readonly outcomes: ReadonlyArray<Outcome> } | { readonly error: SinkError }

  const answer = (rows: ReadonlyArray<Row>): Answer => {
    if (script.refusesBatches && rows.some((row) => row.change === "upsert" && script.isRefused(row))) {
      return { error: lasting(new BatchRefused({ message: "one of them is bad", code: "poison" })) }
    }
    if (!dice.chance(script.faults())) return { outcomes: take(rows) }
    const done = rows.slice(0, dice.below(rows.length + 1))
    switch (dice.below(7)) {
      case 0:
        return { error: lasting(new Unavailable({ message: "away", inDoubt: false })) }
      case 1:
        return { error: lasting(new RateLimited({ message: "slow down", retryAfterMillis: 700 })) }
      case 2:
        return { error: lasting(new QuotaExhausted({ message: "used up" })) }
      case 3:
        take(done, true)
        return { error: lasting(new Unavailable({ message: "cut", inDoubt: true })) }
      case 4:
        take(rows, true)
        return { error: lasting(new Protocol({ message: "garbled" })) }
      case 5: {
        // Some are known, of the rest one may have been written.
        const known = take(done)
        take(rows.slice(done.length, done.length + 1), true)
        return { error: lasting(new Unavailable({ message: "cut", inDoubt: true }), known) }
      }
      default:
        return { error: lasting(new Unavailable({ message: "away after some", inDoubt: false }), take(done)) }
    }
  }

  const lose = (rows: ReadonlyArray<Row>): void => {
    destination.lost(rows.map((row) => row.id))
    for (const row of rows) {
      destination.attempted(row.id, row.change === "delete" ? undefined : script.contentOf(row))
    }
  }

  const tell = (rows: ReadonlyArray<Row>, given: Answer): void => {
    const outcomes = "outcomes" in given ? given.outcomes : (given.error.settled ?? [])
    const known = new Set(outcomes.map((outcome) => outcome.id))
    const rest = rows.filter((row) => !known.has(row.id))
    const delivered = outcomes.filter((outcome) => outcome._tag === "Delivered").map((outcome) => outcome.id)
    acknowledged += delivered.length
    destination.answered(delivered)
    for (const { id, _tag } of outcomes) {
      // A later dead letter takes the place of the one that said what is in doubt: the one repeat that is not prevented.
      if (_tag !== "Delivered" && destination.track(id)?.doubtful === true) destination.attempted(id, "?")
    }
    if ("error" in given) {
      const { reason } = given.error
      const isLost = reason._tag === "Protocol" || (reason._tag === "Unavailable" && reason.inDoubt)
      if (isLost) lose(rest)
    }
  }

  const enter = (batch: Batch): void => {
    const ids = batch.rows.map((row) => row.id)
    const keys = batch.rows.map((row) => row.key)
    const parts = script.partitions ? [...new Set(batch.rows.map(partitionOf))] : []
    const twice =
      new Set(ids).size < ids.length ||
      new Set(keys).size < keys.length ||
      ids.some((id) => inFlight.ids.has(id)) ||
      keys.some((key) => inFlight.keys.has(key)) ||
      parts.some((part) => inFlight.partitions.has(part))
    if (twice) machine.violate("rule 7", `${route}: an id, key or partition is twice in flight`)
    if (batch.rows.length > script.rows) machine.violate("limits", `${route}: a batch of ${batch.rows.length}`)
    for (const row of batch.rows) inFlight.ids.set(row.id, row)
    for (const key of keys) inFlight.keys.add(key)
    for (const part of parts) inFlight.partitions.add(part)
  }

  const leave = (batch: Batch): void => {
    for (const row of batch.rows) {
      inFlight.ids.delete(row.id)
      inFlight.keys.delete(row.key)
      inFlight.partitions.delete(partitionOf(row))
    }
  }

  const write = (batch: Batch): Effect.Effect<ReadonlyArray<Outcome>, SinkError> =>
    Effect.gen(function* () {
      enter(batch)
      yield* Effect.sleep(script.latencyMillis())
      const label = `write ${route} ${batch.rows.map((row) => `${row.change === "delete" ? "-" : ""}${row.id}`).join(" ")}`
      const given = yield* machine.operation(
        label,
        Effect.sync(() => answer(batch.rows)),
      )
      machine.note("outcomes" in given ? given.outcomes.map((each) => each._tag).join(" ") : given.error.reason._tag)
      script.turned()
      yield* Effect.sleep(script.latencyMillis())
      tell(batch.rows, given)
      leave(batch)
      // A sender settles a batch before it takes the next: no more than these can be unsettled when the power goes.
      recent = [...recent, batch.rows].slice(-script.concurrency)
      return "outcomes" in given ? given.outcomes : yield* given.error
    })

  const sink: Sink = {
    name: "scripted",
    config: Schema.Struct({}),
    objects: { things: { description: "Anything.", options: Schema.Struct({}), deletes: ["delete"] } },
    open: () =>
      Effect.succeed({
        identify: machine.operation("identify sink", Effect.succeed({ account: route, label: route })),
        writer: () =>
          Effect.succeed({
            limits: {
              rows: script.rows,
              concurrency: script.concurrency,
              ...(script.bytes === undefined ? {} : { bytes: script.bytes }),
            },
            repeatable,
            ...(script.partitions ? { partition: partitionOf } : {}),
            write,
          }),
      }),
  }

  return {
    sink,
    died: () => {
      lose([...recent.flat(), ...inFlight.ids.values()])
    },
    acknowledged: () => acknowledged,
    began: () => {
      acknowledged = 0
      recent = []
      for (const each of Object.values(inFlight)) each.clear()
    },
  }
}
