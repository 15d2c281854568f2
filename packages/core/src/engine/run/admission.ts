/** Who may be judged now, who has to wait for an id or a key, and who lost to a newer version (rule 7). */
import { type Arrival, type Entry, empty, isOlder, newEntry, recordOf } from "./entry.ts"
import type { Holders } from "./holders.ts"

/** `dequeue` takes an entry from where it waits to be sent. */
export const makeAdmission = (holders: Holders, dequeue: (entry: Entry) => void) => {
  /** They hold nothing: what their ids hold belongs to the version in flight. */
  const parked = new Map<string, Entry>()
  /** Lost to a newer version, but not yet recorded as superseded. */
  const replaced = new Set<Entry>()

  /**
   * Takes arrivals in, in order, after the parked ones that need not wait any more. `free` ones are to be judged now;
   * `superseded` lost to a newer version of the same record that has not been sent either. Others are parked.
   */
  const admit = (arrivals: ReadonlyArray<Arrival>) => {
    const free: Array<Entry> = []
    const superseded: Array<Entry> = []
    const take = (entry: Entry): void => {
      // Two where a row came back from a job while a newer version of it waits for somebody else's key.
      for (let other = unsent(entry.id); other !== undefined; other = unsent(entry.id)) {
        const loses = isOlder(recordOf(entry), recordOf(other))
        superseded.push(replace(other, entry, loses))
        if (loses) return
        withdraw(other, free)
      }
      enter(entry, free)
    }
    for (const entry of unpark()) take(entry)
    for (const arrival of arrivals) take(newEntry(arrival))
    return { free, superseded }
  }

  /** A version of this record that a newer one may still replace. */
  const unsent = (id: string): Entry | undefined => {
    const held = holders.get(id)
    if (held?.place === "judging") return held
    return (
      (parked.size === 0 ? undefined : parked.get(id)) ?? (held !== undefined && isWaiting(held) ? held : undefined)
    )
  }

  /** The pages of both wait for the winner; returns the loser. */
  const replace = (other: Entry, entry: Entry, loses: boolean): Entry => {
    const [winner, loser] = loses ? [other, entry] : [entry, other]
    winner.pages = [...other.pages, ...entry.pages]
    replaced.add(loser)
    return loser
  }

  /** Nothing of it will be sent. */
  const withdraw = (entry: Entry, free: Array<Entry>): void => {
    if (entry.place === "parked") {
      parked.delete(entry.id)
      return
    }
    if (entry.place === "judging") free.splice(free.indexOf(entry), 1)
    else dequeue(entry)
    holders.remove(entry)
  }

  const enter = (entry: Entry, free: Array<Entry>): void => {
    if (isHeld(entry)) {
      park(entry)
      return
    }
    entry.place = "judging"
    holders.add(entry)
    free.push(entry)
  }

  const isHeld = ({ id, key, formerKey }: Entry): boolean => {
    const held = holders.get(id)
    if (held !== undefined && !isWaiting(held)) return true
    return holders.isOthers(id, key) || holders.isOthers(id, formerKey)
  }

  const park = (entry: Entry): void => {
    entry.place = "parked"
    parked.set(entry.id, entry)
  }

  const unpark = (): ReadonlyArray<Entry> => {
    if (parked.size === 0) return []
    const unparked = [...parked.values()].filter((entry) => !isHeld(entry))
    for (const { id } of unparked) parked.delete(id)
    return unparked
  }

  /**
   * A free entry needs the key it was delivered under as well. False: another record has that key, and the entry is
   * parked.
   */
  const claim = (entry: Entry, formerKey: string | undefined): boolean => {
    if (formerKey === entry.formerKey || formerKey === entry.key) return true
    if (!holders.isOthers(entry.id, formerKey)) {
      holders.swapFormerKey(entry, formerKey)
      return true
    }
    holders.remove(entry)
    entry.formerKey = formerKey
    park(entry)
    return false
  }

  return {
    admit,
    claim,
    parkedCount: () => parked.size,
    /** A parked entry need not wait any more: `admit` takes it. */
    canUnpark: () => parked.size > 0 && [...parked.values()].some((entry) => !isHeld(entry)),
    /** These are recorded as superseded. */
    forget: (losers: ReadonlyArray<Entry>): void => {
      for (const loser of losers) {
        replaced.delete(loser)
        empty(loser)
      }
    },
    /** Of what is not settled, those that hold nothing. */
    unheld: (): ReadonlyArray<Entry> => [...parked.values(), ...replaced],
  }
}

/** Judged, and neither at the vendor nor on the way there. */
const isWaiting = ({ place }: Entry): boolean => place === "buffered" || place === "incoming" || place === "spooled"
