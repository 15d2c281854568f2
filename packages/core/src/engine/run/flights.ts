/** Rows at the vendor, in batches or in a job, and the partitions that are there with them. */
import type { Entry } from "./entry.ts"

export const makeFlights = () => {
  let rows = 0
  const partitions = new Map<string, number>()
  return {
    size: () => rows,
    /** Rows of one partition are never in two open batches. */
    mayDepart: ({ partition }: Entry): boolean => partition === undefined || !partitions.has(partition),
    depart: (entry: Entry): void => {
      entry.place = "inFlight"
      rows += 1
      const { partition } = entry
      if (partition !== undefined) partitions.set(partition, (partitions.get(partition) ?? 0) + 1)
    },
    /** It is not in flight any more, if it was. */
    land: ({ place, partition }: Entry): void => {
      if (place !== "inFlight") return
      rows -= 1
      if (partition === undefined) return
      const left = (partitions.get(partition) ?? 1) - 1
      if (left === 0) partitions.delete(partition)
      else partitions.set(partition, left)
    },
  }
}
