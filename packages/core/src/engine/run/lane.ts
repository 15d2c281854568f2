/**
 * The lanes of a route: rows that wait to be sent, one by one in memory or spooled for a job, rows in flight, and rows
 * that must wait for either. All of it is synchronous; effects happen between its steps.
 */
import { makeAdmission } from "./admission.ts"
import { type Entry, empty, setWrite, slim, type Write } from "./entry.ts"
import { makeFlights } from "./flights.ts"
import { makeHolders } from "./holders.ts"
import { makeQueue, type Room } from "./queue.ts"
import { makeSpoolIndex } from "./spoolIndex.ts"

/**
 * Rule 7: one id and one key are never twice in a batch nor in two batches in flight. An entry holds its id, its key and
 * the key it was delivered under until it is settled (`release`); whoever needs one of them is parked.
 */
export const makeLane = (limits: Room, spools = false) => {
  const holders = makeHolders()
  /** Judged and changed: the next batches. */
  const buffer = makeQueue("buffered")
  /** Judged and changed: the next job. */
  const spool = makeSpoolIndex()
  const flights = makeFlights()
  /** Settled rows of a job that has not ended: a newer version must not be written before that. */
  const concluded = new Set<Entry>()

  const dequeue = (entry: Entry): void => {
    if (entry.place === "buffered") buffer.remove(entry)
    else spool.withdraw(entry)
  }
  const { admit, canUnpark, claim, forget, parkedCount, unheld } = makeAdmission(holders, dequeue)

  /** An admitted entry turned out to need writing. */
  const enqueue = (entry: Entry, write: Write): void => {
    setWrite(entry, write)
    if (spools) spool.add(entry)
    else buffer.add(entry)
  }

  /** The next batch, within the limits; rows whose partition is in flight stay. */
  const take = (): ReadonlyArray<Entry> => {
    const taken = buffer.next(limits, flights.mayDepart)
    for (const entry of taken) flights.depart(entry)
    buffer.sweep()
    return taken
  }

  /** The spool closes for a job: its rows are in flight. */
  const launch = (): ReadonlyArray<Entry> => {
    const launched = spool.takeAll()
    for (const entry of launched) flights.depart(entry)
    return launched
  }

  /** Rows of a job that an earlier run left. Nothing else waits then. */
  const adopt = (entries: ReadonlyArray<Entry>): void => {
    for (const entry of entries) {
      slim(entry)
      holders.add(entry)
      flights.depart(entry)
    }
  }

  /** A spooled row is to be sent in a batch; `whole` is what the spool keeps of it. */
  const bringBack = (whole: Entry, partition: string | undefined): void => {
    const entry = holders.get(whole.id)
    const isSpooled = entry?.place === "spooled" && entry.line === whole.line
    if (entry === undefined || !(isSpooled || entry.place === "inFlight")) return
    if (isSpooled) spool.remove(entry)
    else flights.land(entry)
    entry.mapped = whole.mapped
    entry.row = whole.row
    entry.partition = partition
    buffer.add(entry)
  }

  /** It is settled, but the job it is a row of goes on. Found by its id: what was settled may be a copy, whole again. */
  const conclude = ({ id }: Entry): void => {
    const entry = holders.get(id)
    if (entry === undefined) return
    flights.land(entry)
    entry.place = "concluded"
    concluded.add(entry)
  }

  /** It is settled: its id, keys and partition are free. */
  const release = ({ id }: Entry): void => {
    const entry = holders.get(id)
    if (entry === undefined) return
    flights.land(entry)
    holders.remove(entry)
    empty(entry)
  }

  return {
    admit,
    claim,
    canUnpark,
    forget,
    enqueue,
    take,
    nextForSpool: spool.next,
    spool: spool.write,
    takeReplacedLines: spool.takeReplacedLines,
    launch,
    adopt,
    bringBack,
    conclude,
    release,
    /** The rows of the job that is over are free. */
    releaseConcluded: (): void => {
      for (const entry of concluded) release(entry)
      concluded.clear()
    },
    /** Rows that wait: READ stops while they are two batches or a page. */
    waiting: () => buffer.size() + spool.incoming() + parkedCount(),
    buffered: buffer.size,
    incoming: spool.incoming,
    spooled: spool.size,
    spooledLines: spool.lines,
    isFull: () => buffer.size() >= limits.rows,
    /** No row is on its way, nor about to go in a batch. */
    isQuiet: () => buffer.size() + flights.size() + concluded.size === 0,
    /** Nothing is on its way, waits, or is being judged and may have to wait again. */
    isEmpty: () => holders.size() + parkedCount() === 0,
    /** Everything that is not settled, for the report of a run that stops. */
    unsettled: (): ReadonlyArray<Entry> => [
      ...[...holders.all()].filter(({ place }) => place !== "concluded"),
      ...unheld(),
    ],
  }
}

export type Lane = ReturnType<typeof makeLane>
