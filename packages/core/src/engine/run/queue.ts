/** Rows that wait for a batch or for the spool, in the order in which they were judged. */
import type { Entry } from "./entry.ts"

/** What a batch or a spool takes. */
export interface Room {
  readonly rows: number
  readonly bytes: number
}

export const makeQueue = (place: "buffered" | "incoming") => {
  let entries: Array<Entry> = []
  return {
    size: () => entries.length,
    add: (entry: Entry): void => {
      entry.place = place
      entries.push(entry)
    },
    remove: (entry: Entry): void => {
      entries.splice(entries.indexOf(entry), 1)
    },
    /** The next ones of those that may go: as many as fit, at least one. They stay until `sweep`. */
    next: (room: Room, mayGo: (entry: Entry) => boolean = () => true): ReadonlyArray<Entry> => {
      const taken: Array<Entry> = []
      let bytes = 0
      for (const entry of entries) {
        if (taken.length >= room.rows || (taken.length > 0 && bytes + entry.bytes > room.bytes)) break
        if (!mayGo(entry)) continue
        taken.push(entry)
        bytes += entry.bytes
      }
      return taken
    },
    /** What has its place elsewhere by now waits here no more. */
    sweep: (): void => {
      entries = entries.filter((entry) => entry.place === place)
    },
  }
}
