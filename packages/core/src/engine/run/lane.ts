/**
 * The lanes of a route: rows that wait to be sent, one by one in memory or spooled for a job, rows in flight, and rows
 * that must wait for either. All of it is synchronous; effects happen between its steps.
 */
import type { JsonObject } from "effect/Schema"
import type { Mapped } from "../../mapping/mapping.ts"
import type { Position, Row, SourceRecord } from "../../plugin/record.ts"
import type { OpenPage } from "./frontier.ts"
import { makeRowKeys } from "./rowKeys.ts"

/** A mapped record on its way to be judged. */
export interface Arrival {
  readonly id: string
  readonly mapped: Mapped
  /** The pages that wait for it: its own and those of the versions it replaced. */
  readonly pages: ReadonlyArray<OpenPage>
  /** Where the source was, for a dead letter. */
  readonly position: Position | undefined
  /** `recovered` rows are outside the identity: their pages are read again. */
  readonly tally: "run" | "recovered"
  /** It was delivered under this key and needs it too, as another record had it when it was to be judged. */
  readonly formerKey?: string
}

/** A row that has to be written. */
export interface Entry {
  readonly arrival: Arrival
  readonly row: Row
  /** Of the canonical row and the route's options. Null for a deletion. */
  readonly hash: string | null
  /** UTF-8 bytes of the canonical fields, where the writer bounds them. */
  readonly bytes: number
  readonly partition: string | undefined
  /** The record that loses this row key, under `on_key_conflict: newest`. */
  readonly displaces: string | undefined
}

/** An entry whose record and fields are in the spool. */
export interface SpooledEntry extends Entry {
  readonly line: number
}

export const recordOf = (entry: { readonly arrival: Arrival }): SourceRecord => entry.arrival.mapped.record

export const keyOf = (arrival: Arrival): string | undefined =>
  arrival.mapped._tag === "Row" ? arrival.mapped.row.key : undefined

export interface LaneLimits {
  readonly rows: number
  readonly bytes: number
}

/**
 * Rule 7: one id and one key are never twice in a batch nor in two batches in flight. An arrival holds its id, its
 * key and the key it was delivered under until it is settled (`release`); whoever needs one of them is parked.
 */
export const makeLane = (limits: LaneLimits, spools = false) => {
  /** Judged and changed, in order of arrival: the next batches. */
  const buffer = new Map<string, Entry>()
  /** Judged and changed, on their way to the spool. */
  const incoming = new Map<string, Entry>()
  /** In the spool that is open. */
  const spooled = new Map<string, SpooledEntry>()
  /** Lines of the open spool whose rows a newer version replaced. */
  let replacedLines: Array<number> = []
  const inFlight = new Map<string, Entry>()
  /** Settled rows of a job that has not ended: a newer version must not be written before that. */
  const concluded = new Set<string>()
  const judging = new Map<string, Arrival>()
  const parked = new Map<string, Arrival>()
  const { disown, isOthers, own } = makeRowKeys()
  /** Lost to a newer version, but not yet recorded as superseded. */
  const replaced = new Set<Arrival>()
  const partitions = new Map<string, number>()

  const isHeld = (arrival: Arrival): boolean => {
    const { id } = arrival
    if (inFlight.has(id) || judging.has(id) || concluded.has(id)) return true
    return isOthers(id, keyOf(arrival)) || isOthers(id, arrival.formerKey)
  }

  /** Nothing of this record waits or is on its way, and nobody else has its key. */
  const isIdle = (arrival: Arrival): boolean => {
    const { id } = arrival
    return !isHeld(arrival) && !parked.has(id) && waitingEntry(id) === undefined
  }

  /**
   * Takes arrivals in, in order, after the parked ones that need not wait any more. `free` ones are to be judged now;
   * `superseded` lost to a newer version of the same record that has not been sent either. Others are parked.
   */
  const admit = (arrivals: ReadonlyArray<Arrival>) => {
    const free = new Map<string, Arrival>()
    const superseded: Array<Arrival> = []
    const unparked = [...parked.values()].filter((arrival) => !isHeld(arrival))
    for (const arrival of unparked) parked.delete(arrival.id)
    for (const arrival of [...unparked, ...arrivals]) {
      const { id } = arrival
      const waiting = free.get(id) ?? parked.get(id) ?? waitingEntry(id)?.arrival
      if (waiting === undefined) {
        if (isHeld(arrival)) parked.set(id, arrival)
        else hold(free, arrival)
        continue
      }
      const newest = isOlder(arrival.mapped.record, waiting.mapped.record) ? waiting : arrival
      const loser = newest === arrival ? waiting : arrival
      superseded.push(loser)
      replaced.add(loser)
      const winner: Arrival = { ...newest, pages: [...waiting.pages, ...arrival.pages] }
      if (newest === waiting) {
        if (free.has(id)) free.set(id, winner)
        else if (parked.has(id)) parked.set(id, winner)
        else takeOver(id, winner)
        continue
      }
      // A parked one holds nothing: what its id holds belongs to the version in flight.
      if (!parked.delete(id)) {
        free.delete(id)
        withdraw(id)
        judging.delete(id)
        disown(id)
      }
      if (isHeld(winner)) parked.set(id, winner)
      else hold(free, winner)
    }
    return { free: [...free.values()], superseded }
  }

  const hold = (free: Map<string, Arrival>, arrival: Arrival): void => {
    free.set(arrival.id, arrival)
    judging.set(arrival.id, arrival)
    own(arrival.id, keyOf(arrival))
    own(arrival.id, arrival.formerKey)
  }

  /**
   * A free arrival needs the key it was delivered under as well: it may delete or rename what another record takes over.
   * False: another record has that key, and the arrival is parked.
   */
  const claim = (arrival: Arrival, formerKey: string | undefined): boolean => {
    const { id } = arrival
    if (!isOthers(id, formerKey)) {
      own(id, formerKey)
      return true
    }
    judging.delete(id)
    disown(id)
    parked.set(id, formerKey === undefined ? arrival : { ...arrival, formerKey })
    return false
  }

  const waitingEntry = (id: string): Entry | undefined => buffer.get(id) ?? incoming.get(id) ?? spooled.get(id)

  /** The row that waits stays; more pages wait for it. */
  const takeOver = (id: string, arrival: Arrival): void => {
    for (const place of [buffer, incoming]) {
      const entry = place.get(id)
      if (entry !== undefined) place.set(id, { ...entry, arrival })
    }
    const entry = spooled.get(id)
    if (entry !== undefined) spooled.set(id, { ...entry, arrival })
  }

  /** The row that waits will not be sent. */
  const withdraw = (id: string): void => {
    buffer.delete(id)
    incoming.delete(id)
    const entry = spooled.get(id)
    if (entry !== undefined) replacedLines.push(entry.line)
    spooled.delete(id)
  }

  /** An admitted arrival turned out to need writing. */
  const enqueue = (entry: Entry): void => {
    judging.delete(entry.arrival.id)
    if (spools) incoming.set(entry.arrival.id, entry)
    else buffer.set(entry.arrival.id, entry)
  }

  /** The next rows for the spool, within what it may still take. They stay until they are written there. */
  const nextForSpool = (room: LaneLimits): ReadonlyArray<Entry> => {
    const entries = within(incoming.values(), room)
    return spooled.size > 0 && (entries[0]?.bytes ?? 0) > room.bytes ? [] : entries
  }

  /** A row is written to the spool, unless a newer version has replaced it meanwhile. */
  const spool = (written: SpooledEntry): void => {
    const { id } = written.arrival
    const entry = incoming.get(id)
    if (entry?.row !== written.row) {
      replacedLines.push(written.line)
      return
    }
    incoming.delete(id)
    spooled.set(id, slim({ ...written, arrival: entry.arrival }))
  }

  /** The spool closes for a job: its rows are in flight. */
  const launch = (): ReadonlyArray<SpooledEntry> => {
    const launched = [...spooled.values()]
    for (const entry of launched) inFlight.set(entry.arrival.id, entry)
    spooled.clear()
    return launched
  }

  /** Rows of a job that an earlier run left. Nothing else waits then. */
  const adopt = (entries: ReadonlyArray<SpooledEntry>): ReadonlyArray<SpooledEntry> =>
    entries.map((entry) => {
      const small = slim(entry)
      inFlight.set(small.arrival.id, small)
      own(small.arrival.id, small.row.key)
      return small
    })

  /** A spooled row, whole again, is to be sent in a batch. */
  const bringBack = (entry: SpooledEntry, partition: string | undefined): void => {
    const { id } = entry.arrival
    const held = spooled.get(id) ?? inFlight.get(id)
    const isReplaced = spooled.has(id) && spooled.get(id)?.line !== entry.line
    if (held === undefined || isReplaced) return
    spooled.delete(id)
    inFlight.delete(id)
    const { pages, position, tally } = held.arrival
    buffer.set(id, { ...entry, arrival: { ...entry.arrival, pages, position, tally }, partition })
  }

  /** The next batch, within the limits; rows whose partition is in flight stay. */
  const take = (): ReadonlyArray<Entry> => {
    const taken = within(buffer.values(), limits, (entry) => !isOpen(entry.partition))
    for (const entry of taken) {
      buffer.delete(entry.arrival.id)
      inFlight.set(entry.arrival.id, entry)
      if (entry.partition !== undefined) partitions.set(entry.partition, (partitions.get(entry.partition) ?? 0) + 1)
    }
    return taken
  }

  const isOpen = (partition: string | undefined): boolean => partition !== undefined && partitions.has(partition)

  /** These are settled, but the job they are rows of goes on. */
  const conclude = (ids: ReadonlyArray<string>): void => {
    for (const id of ids) {
      inFlight.delete(id)
      concluded.add(id)
    }
  }

  /** These are settled: their ids, keys and partitions are free. */
  const release = (ids: Iterable<string>): void => {
    for (const id of ids) {
      const entry = inFlight.get(id)
      inFlight.delete(id)
      judging.delete(id)
      concluded.delete(id)
      disown(id)
      if (entry?.partition !== undefined) {
        const left = (partitions.get(entry.partition) ?? 1) - 1
        if (left === 0) partitions.delete(entry.partition)
        else partitions.set(entry.partition, left)
      }
    }
  }

  /** No row is on its way, nor about to go in a batch. */
  const isQuiet = (): boolean => buffer.size + inFlight.size + concluded.size === 0

  return {
    isIdle,
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
    releaseConcluded: () => release([...concluded]),
    /** Lines of the open spool that must not reach the job; named once. */
    takeReplacedLines: (): ReadonlyArray<number> => {
      const lines = replacedLines
      replacedLines = []
      return lines
    },
    /** These are recorded as superseded. */
    forget: (losers: ReadonlyArray<Arrival>): void => {
      for (const loser of losers) replaced.delete(loser)
    },
    /** A parked arrival need not wait any more: `admit` takes it. */
    canUnpark: () => parked.size > 0 && [...parked.values()].some((arrival) => !isHeld(arrival)),
    /** Rows that wait: READ stops while they are two batches or a page. */
    waiting: () => buffer.size + incoming.size + parked.size,
    buffered: () => buffer.size,
    incoming: () => incoming.size,
    spooled: () => spooled.size,
    spooledLines: (): ReadonlyArray<number> => [...spooled.values()].map((entry) => entry.line),
    isQuiet,
    /** Nothing is on its way, waits, or is being judged and may have to wait again. */
    isEmpty: () => isQuiet() && incoming.size + spooled.size + judging.size + parked.size === 0,
    isFull: () => buffer.size >= limits.rows,
    /** Everything that is not settled, for the report of a run that stops. */
    unsettled: (): ReadonlyArray<Arrival> => [
      ...judging.values(),
      ...parked.values(),
      ...[buffer, incoming, spooled, inFlight].flatMap((place) => [...place.values()].map((entry) => entry.arrival)),
      ...replaced,
    ],
  }
}

export type Lane = ReturnType<typeof makeLane>

/** As many as fit, in order; at least one. */
const within = (
  entries: Iterable<Entry>,
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

const nothing: Readonly<JsonObject> = {}

/** Without what the spool keeps: an open spool is an index in memory (rule 12). */
const slim = (entry: SpooledEntry): SpooledEntry => {
  const row: Row = { ...entry.row, fields: nothing }
  const record: SourceRecord = { ...recordOf(entry), data: nothing }
  return {
    ...entry,
    row,
    arrival: { ...entry.arrival, mapped: { _tag: "Row", record, row, canonical: "" } },
    partition: undefined,
  }
}

/** Versions decide where both have one; else the one that came last is newer. */
export const isOlder = (record: SourceRecord, than: SourceRecord): boolean =>
  record.version !== undefined && than.version !== undefined && record.version < than.version
