/** What a scripted vendor does with rows, whichever way they come. */
import { Outcome, type Row } from "@sluice/core"
import type { Destination } from "./destination.ts"
import type { Dice } from "./dice.ts"

export interface ObjectsScript {
  readonly destination: Destination
  readonly dice: Dice
  readonly faults: () => number
  /** Probability that a row is not taken for now. */
  readonly busy: () => number
  readonly contentOf: (row: Row) => string
  readonly isRefused: (row: Row) => boolean
}

/** An object at the destination. */
interface Held {
  key: string
  readonly id: string
}

export interface Objects {
  readonly take: (
    row: Row,
    how?: {
      /** Nobody is told: it is written if it can be. */
      readonly isSilent?: boolean
      /** It was handed over earlier, and what it says was checked then. */
      readonly isLate?: boolean
    },
  ) => Outcome
}

export const makeObjects = (script: ObjectsScript): Objects => {
  const { destination, dice } = script
  const objects = new Map<string, Held>()
  const byKey = new Map<string, string>()
  let next = 1

  const apply = (row: Row, isLate: boolean): Outcome => {
    const remote = row.remoteId !== undefined && objects.has(row.remoteId) ? row.remoteId : byKey.get(row.key)
    const held = remote === undefined ? undefined : objects.get(remote)
    if (row.change === "delete") {
      if (held !== undefined && remote !== undefined) {
        objects.delete(remote)
        byKey.delete(held.key)
        destination.applied(held.id, undefined, "deleted", isLate)
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

  return {
    take: (row, { isSilent = false, isLate = false } = {}) => {
      if (row.change === "upsert" && script.isRefused(row)) {
        return Outcome.Rejected({ id: row.id, code: "poison", message: "refused" })
      }
      // Busiest with what it may just have taken without saying so.
      const isDoubtful = destination.track(row.id)?.doubtful === true
      const busy = script.busy() > 0 && isDoubtful ? 0.97 : script.busy()
      if (!isSilent && dice.chance(Math.max(busy, script.faults() / 2))) {
        return Outcome.Deferred({ id: row.id, message: "busy", retryAfterMillis: 500 })
      }
      return apply(row, isLate)
    },
  }
}
