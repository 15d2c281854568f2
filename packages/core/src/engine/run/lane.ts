/**
 * The lanes of a route: rows that wait to be sent, one by one in memory or spooled for a job, rows in flight, and rows
 * that must wait for either. All of it is synchronous; effects happen between its steps.
 */
import { type Arrival, type Entry, empty, isOlder, newEntry, recordOf, setWrite, slim, type Write } from "./entry.ts"
import { makeRowKeys } from "./rowKeys.ts"

export interface LaneLimits {
  readonly rows: number
  readonly bytes: number
}

/**
 * Rule 7: one id and one key are never twice in a batch nor in two batches in flight. An entry holds its id, its key and
 * the key it was delivered under until it is settled (`release`); whoever needs one of them is parked.
 */
export const makeLane = (limits: LaneLimits, spools = false) => {
  /** Whatever is on its way, by id; each says where it is. */
  const ways = new Map<string, Entry>()
  /** They hold nothing: what their ids hold belongs to the version in flight. */
  const parked = new Map<string, Entry>()
  const { disown, isOthers, own } = makeRowKeys(ways)
  /** Judged and changed, in order of arrival: the next batches. */
  let buffer: Array<Entry> = []
  /** Judged and changed, on their way to the spool. */
  let incoming: Array<Entry> = []
  /** In the spool that is open. */
  const spooled = new Set<Entry>()
  /** Lines of the open spool whose rows a newer version replaced. */
  let replacedLines: Array<number> = []
  let inFlight = 0
  /** Settled rows of a job that has not ended: a newer version must not be written before that. */
  const concluded = new Set<Entry>()
  /** Lost to a newer version, but not yet recorded as superseded. */
  const replaced = new Set<Entry>()
  const partitions = new Map<string, number>()

  const isHeld = ({ id, key, formerKey }: Entry): boolean => {
    const held = ways.get(id)
    if (held !== undefined && !isWaiting(held)) return true
    return isOthers(id, key) || isOthers(id, formerKey)
  }

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

  /** The pages of both wait for the winner; returns the loser. */
  const replace = (other: Entry, entry: Entry, loses: boolean): Entry => {
    const [winner, loser] = loses ? [other, entry] : [entry, other]
    winner.pages = [...other.pages, ...entry.pages]
    replaced.add(loser)
    return loser
  }

  /** A version of this record that a newer one may still replace. */
  const unsent = (id: string): Entry | undefined => {
    const held = ways.get(id)
    if (held?.place === "judging") return held
    return (
      (parked.size === 0 ? undefined : parked.get(id)) ?? (held !== undefined && isWaiting(held) ? held : undefined)
    )
  }

  const unpark = (): ReadonlyArray<Entry> => {
    if (parked.size === 0) return []
    const unparked = [...parked.values()].filter((entry) => !isHeld(entry))
    for (const { id } of unparked) parked.delete(id)
    return unparked
  }

  const enter = (entry: Entry, free: Array<Entry>): void => {
    if (isHeld(entry)) {
      park(entry)
      return
    }
    entry.place = "judging"
    ways.set(entry.id, entry)
    own(entry)
    free.push(entry)
  }

  const park = (entry: Entry): void => {
    entry.place = "parked"
    parked.set(entry.id, entry)
  }

  /** Nothing of it will be sent. */
  const withdraw = (entry: Entry, free: Array<Entry>): void => {
    const { place } = entry
    if (place === "parked") parked.delete(entry.id)
    else leave(entry)
    if (place === "judging") remove(free, entry)
    if (place === "buffered") remove(buffer, entry)
    if (place === "incoming") remove(incoming, entry)
    if (spooled.delete(entry)) replacedLines.push(entry.line)
  }

  /** Its id and keys are free. */
  const leave = (entry: Entry): void => {
    entry.place = "outside"
    ways.delete(entry.id)
    disown(entry)
  }

  /**
   * A free entry needs the key it was delivered under as well. False: another record has that key, and the entry is
   * parked.
   */
  const claim = (entry: Entry, formerKey: string | undefined): boolean => {
    if (formerKey === entry.formerKey || formerKey === entry.key) return true
    const isTaken = isOthers(entry.id, formerKey)
    if (isTaken) leave(entry)
    else disown(entry)
    entry.formerKey = formerKey
    if (isTaken) park(entry)
    else own(entry)
    return !isTaken
  }

  /** An admitted entry turned out to need writing. */
  const enqueue = (entry: Entry, write: Write): void => {
    setWrite(entry, write)
    entry.place = spools ? "incoming" : "buffered"
    if (spools) incoming.push(entry)
    else buffer.push(entry)
  }

  /** The next rows for the spool, within what it may still take. They stay until they are written there. */
  const nextForSpool = (room: LaneLimits): ReadonlyArray<Entry> => {
    const entries = within(incoming, room)
    return spooled.size > 0 && (entries[0]?.bytes ?? 0) > room.bytes ? [] : entries
  }

  /** Rows are written to the spool, but for those that a newer version has replaced meanwhile. */
  const spool = (written: ReadonlyArray<Entry>): void => {
    for (const entry of written) {
      if (entry.place !== "incoming") {
        replacedLines.push(entry.line)
        continue
      }
      entry.place = "spooled"
      slim(entry)
      spooled.add(entry)
    }
    incoming = incoming.filter(({ place }) => place === "incoming")
  }

  /** The spool closes for a job: its rows are in flight. */
  const launch = (): ReadonlyArray<Entry> => {
    const launched = [...spooled]
    for (const entry of launched) fly(entry)
    spooled.clear()
    return launched
  }

  const fly = (entry: Entry): void => {
    entry.place = "inFlight"
    inFlight += 1
  }

  /** Rows of a job that an earlier run left. Nothing else waits then. */
  const adopt = (entries: ReadonlyArray<Entry>): void => {
    for (const entry of entries) {
      slim(entry)
      ways.set(entry.id, entry)
      own(entry)
      fly(entry)
    }
  }

  /** A spooled row is to be sent in a batch; `whole` is what the spool keeps of it. */
  const bringBack = (whole: Entry, partition: string | undefined): void => {
    const entry = ways.get(whole.id)
    const isSpooled = entry?.place === "spooled" && entry.line === whole.line
    if (entry === undefined || !(isSpooled || entry.place === "inFlight")) return
    if (isSpooled) spooled.delete(entry)
    else inFlight -= 1
    entry.mapped = whole.mapped
    entry.row = whole.row
    entry.partition = partition
    entry.place = "buffered"
    buffer.push(entry)
  }

  /** The next batch, within the limits; rows whose partition is in flight stay. */
  const take = (): ReadonlyArray<Entry> => {
    const taken = within(buffer, limits, ({ partition }) => partition === undefined || !partitions.has(partition))
    for (const entry of taken) {
      fly(entry)
      if (entry.partition !== undefined) partitions.set(entry.partition, (partitions.get(entry.partition) ?? 0) + 1)
    }
    buffer = buffer.filter(({ place }) => place === "buffered")
    return taken
  }

  /** It is not in flight any more, if it was. */
  const land = ({ place, partition }: Entry): void => {
    if (place !== "inFlight") return
    inFlight -= 1
    if (partition === undefined) return
    const left = (partitions.get(partition) ?? 1) - 1
    if (left === 0) partitions.delete(partition)
    else partitions.set(partition, left)
  }

  /** It is settled, but the job it is a row of goes on. Found by its id: what was settled may be a copy, whole again. */
  const conclude = ({ id }: Entry): void => {
    const entry = ways.get(id)
    if (entry === undefined) return
    land(entry)
    entry.place = "concluded"
    concluded.add(entry)
  }

  /** It is settled: its id, keys and partition are free. */
  const release = ({ id }: Entry): void => {
    const entry = ways.get(id)
    if (entry === undefined) return
    land(entry)
    leave(entry)
    empty(entry)
  }

  /** No row is on its way, nor about to go in a batch. */
  const isQuiet = (): boolean => buffer.length + inFlight + concluded.size === 0

  return {
    admit,
    claim,
    enqueue,
    nextForSpool,
    spool,
    launch,
    adopt,
    bringBack,
    take,
    conclude,
    release,
    /** The rows of the job that is over are free. */
    releaseConcluded: (): void => {
      for (const entry of concluded) {
        leave(entry)
        empty(entry)
      }
      concluded.clear()
    },
    /** Lines of the open spool that must not reach the job; named once. */
    takeReplacedLines: (): ReadonlyArray<number> => {
      const lines = replacedLines
      replacedLines = []
      return lines
    },
    /** These are recorded as superseded. */
    forget: (losers: ReadonlyArray<Entry>): void => {
      for (const loser of losers) {
        replaced.delete(loser)
        empty(loser)
      }
    },
    /** A parked entry need not wait any more: `admit` takes it. */
    canUnpark: () => parked.size > 0 && [...parked.values()].some((entry) => !isHeld(entry)),
    /** Rows that wait: READ stops while they are two batches or a page. */
    waiting: () => buffer.length + incoming.length + parked.size,
    buffered: () => buffer.length,
    incoming: () => incoming.length,
    spooled: () => spooled.size,
    spooledLines: (): ReadonlyArray<number> => Array.from(spooled, ({ line }) => line),
    isQuiet,
    /** Nothing is on its way, waits, or is being judged and may have to wait again. */
    isEmpty: () => ways.size + parked.size === 0,
    isFull: () => buffer.length >= limits.rows,
    /** Everything that is not settled, for the report of a run that stops. */
    unsettled: (): ReadonlyArray<Entry> => [
      ...[...ways.values()].filter(({ place }) => place !== "concluded"),
      ...parked.values(),
      ...replaced,
    ],
  }
}

export type Lane = ReturnType<typeof makeLane>

/** Judged, and neither at the vendor nor on the way there. */
const isWaiting = ({ place }: Entry): boolean => place === "buffered" || place === "incoming" || place === "spooled"

const remove = (entries: Array<Entry>, entry: Entry): void => {
  entries.splice(entries.indexOf(entry), 1)
}

/** As many as fit, in order; at least one. */
const within = (
  entries: ReadonlyArray<Entry>,
  room: LaneLimits,
  fits: (entry: Entry) => boolean = () => true,
): ReadonlyArray<Entry> => {
  const taken: Array<Entry> = []
  let bytes = 0
  for (const entry of entries) {
    if (taken.length >= room.rows || (taken.length > 0 && bytes + entry.bytes > room.bytes)) break
    if (!fits(entry)) continue
    taken.push(entry)
    bytes += entry.bytes
  }
  return taken
}
