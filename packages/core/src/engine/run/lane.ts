/**
 * The memory lane of a route: rows that wait to be sent, rows in flight, and rows that must wait for either. All of it
 * is synchronous; effects happen between its steps.
 */
import type { Mapped } from "../../mapping/mapping.ts"
import type { Position, Row, SourceRecord } from "../../plugin/record.ts"
import type { OpenPage } from "./frontier.ts"

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
export const makeLane = (limits: LaneLimits) => {
  /** Judged and changed, in order of arrival. */
  const buffer = new Map<string, Entry>()
  const inFlight = new Map<string, Entry>()
  const judging = new Map<string, Arrival>()
  const parked = new Map<string, Arrival>()
  /** Row key to the id that holds it. */
  const owners = new Map<string, string>()
  /** The other way round: the row keys an id holds. */
  const owned = new Map<string, Set<string>>()
  /** Lost to a newer version, but not yet recorded as superseded. */
  const replaced = new Set<Arrival>()
  const partitions = new Map<string, number>()

  const isHeld = (arrival: Arrival): boolean => {
    if (inFlight.has(arrival.id) || judging.has(arrival.id)) return true
    return isOthers(arrival.id, keyOf(arrival)) || isOthers(arrival.id, arrival.formerKey)
  }

  const isOthers = (id: string, key: string | undefined): boolean => key !== undefined && (owners.get(key) ?? id) !== id

  const own = (id: string, key: string | undefined): void => {
    if (key === undefined) return
    owners.set(key, id)
    const keys = owned.get(id)
    if (keys === undefined) owned.set(id, new Set([key]))
    else keys.add(key)
  }

  const disown = (id: string): void => {
    for (const key of owned.get(id) ?? []) owners.delete(key)
    owned.delete(id)
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
      const waiting = free.get(id) ?? parked.get(id) ?? buffer.get(id)?.arrival
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
        else rebuffer(id, winner)
        continue
      }
      // A parked one holds nothing: what its id holds belongs to the version in flight.
      if (!parked.delete(id)) {
        free.delete(id)
        buffer.delete(id)
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

  const rebuffer = (id: string, arrival: Arrival): void => {
    const entry = buffer.get(id)
    if (entry !== undefined) buffer.set(id, { ...entry, arrival })
  }

  /** An admitted arrival turned out to need writing. */
  const enqueue = (entry: Entry): void => {
    judging.delete(entry.arrival.id)
    buffer.set(entry.arrival.id, entry)
  }

  /** The next batch, within the limits; rows whose partition is in flight stay. */
  const take = (): ReadonlyArray<Entry> => {
    const taken: Array<Entry> = []
    let bytes = 0
    for (const entry of buffer.values()) {
      if (taken.length >= limits.rows || (taken.length > 0 && bytes + entry.bytes > limits.bytes)) break
      if (entry.partition !== undefined && partitions.has(entry.partition)) continue
      taken.push(entry)
      bytes += entry.bytes
    }
    for (const entry of taken) {
      buffer.delete(entry.arrival.id)
      inFlight.set(entry.arrival.id, entry)
      if (entry.partition !== undefined) partitions.set(entry.partition, (partitions.get(entry.partition) ?? 0) + 1)
    }
    return taken
  }

  /** These are settled: their ids, keys and partitions are free. */
  const release = (arrivals: ReadonlyArray<Arrival>): void => {
    for (const arrival of arrivals) {
      const entry = inFlight.get(arrival.id)
      inFlight.delete(arrival.id)
      judging.delete(arrival.id)
      disown(arrival.id)
      if (entry?.partition !== undefined) {
        const left = (partitions.get(entry.partition) ?? 1) - 1
        if (left === 0) partitions.delete(entry.partition)
        else partitions.set(entry.partition, left)
      }
    }
  }

  return {
    admit,
    claim,
    enqueue,
    take,
    release,
    /** These are recorded as superseded. */
    forget: (losers: ReadonlyArray<Arrival>): void => {
      for (const loser of losers) replaced.delete(loser)
    },
    /** A parked arrival need not wait any more: `admit` takes it. */
    canUnpark: () => parked.size > 0 && [...parked.values()].some((arrival) => !isHeld(arrival)),
    /** Rows that wait: READ stops while they are two batches or a page. */
    waiting: () => buffer.size + parked.size,
    buffered: () => buffer.size,
    isFull: () => buffer.size >= limits.rows,
    /** Everything that is not settled, for the report of a run that stops. */
    unsettled: (): ReadonlyArray<Arrival> => [
      ...judging.values(),
      ...[...buffer.values()].map((entry) => entry.arrival),
      ...parked.values(),
      ...[...inFlight.values()].map((entry) => entry.arrival),
      ...replaced,
    ],
  }
}

export type Lane = ReturnType<typeof makeLane>

/** Versions decide where both have one; else the one that came last is newer. */
export const isOlder = (record: SourceRecord, than: SourceRecord): boolean =>
  record.version !== undefined && than.version !== undefined && record.version < than.version
