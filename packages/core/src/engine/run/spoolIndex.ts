/** What memory has of the open spool: rows on their way to it, and an index of those in it (rule 12). */
import { type Entry, slim } from "./entry.ts"
import { makeQueue, type Room } from "./queue.ts"

export const makeSpoolIndex = () => {
  const incoming = makeQueue("incoming")
  const spooled = new Set<Entry>()
  /** Lines whose rows a newer version replaced. */
  let replacedLines: Array<number> = []
  return {
    add: incoming.add,
    incoming: incoming.size,
    size: () => spooled.size,
    lines: (): ReadonlyArray<number> => Array.from(spooled, ({ line }) => line),
    /** The next rows for the spool, within what it may still take. They stay until they are written there. */
    next: (room: Room): ReadonlyArray<Entry> => {
      const entries = incoming.next(room)
      return spooled.size > 0 && (entries[0]?.bytes ?? 0) > room.bytes ? [] : entries
    },
    /** Rows are written to the spool, but for those that a newer version has replaced meanwhile. */
    write: (written: ReadonlyArray<Entry>): void => {
      for (const entry of written) {
        if (entry.place !== "incoming") {
          replacedLines.push(entry.line)
          continue
        }
        entry.place = "spooled"
        slim(entry)
        spooled.add(entry)
      }
      incoming.sweep()
    },
    /** A newer version replaces it. */
    withdraw: (entry: Entry): void => {
      if (spooled.delete(entry)) replacedLines.push(entry.line)
      else if (entry.place === "incoming") incoming.remove(entry)
    },
    /** It goes in a batch instead of a job. */
    remove: (entry: Entry): void => {
      spooled.delete(entry)
    },
    /** The spool closes for a job: its rows go with it. */
    takeAll: (): ReadonlyArray<Entry> => {
      const entries = [...spooled]
      spooled.clear()
      return entries
    },
    /** Lines that must not reach the job; named once. */
    takeReplacedLines: (): ReadonlyArray<number> => {
      const lines = replacedLines
      replacedLines = []
      return lines
    },
  }
}
