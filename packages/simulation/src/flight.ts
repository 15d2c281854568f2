/** What is under way at a destination, on both lanes: rule 7 says what may not be there twice. */
import type { Row } from "@sluice/core"
import type { Machine } from "./machine.ts"

export interface Flight {
  /** Rows set out. `by` names the batch or the job until they have arrived. */
  readonly enter: (by: string, rows: ReadonlyArray<Row>) => void
  readonly leave: (by: string) => void
  readonly rows: () => ReadonlyArray<Row>
  readonly clear: () => void
}

export const makeFlight = (
  machine: Machine,
  route: string,
  partitionOf: ((row: Row) => string) | undefined,
): Flight => {
  const under = new Map<string, ReadonlyArray<Row>>()
  const rowsUnder = () => [...under.values()].flat()

  /** Rows of one batch may share a partition. */
  const isTwice = (rows: ReadonlyArray<Row>): boolean => {
    const others = rowsUnder()
    const repeats = (by: (row: Row) => string): boolean => {
      const mine = rows.map(by)
      return new Set(mine).size < mine.length || others.some((row) => mine.includes(by(row)))
    }
    if (repeats((row) => row.id) || repeats((row) => row.key)) return true
    return (
      partitionOf !== undefined && rows.some((row) => others.some((each) => partitionOf(each) === partitionOf(row)))
    )
  }

  return {
    enter: (by, rows) => {
      if (isTwice(rows)) machine.violate("rule 7", `${route}: an id, key or partition of ${by} is twice in flight`)
      under.set(by, rows)
    },
    leave: (by) => {
      under.delete(by)
    },
    rows: rowsUnder,
    clear: () => under.clear(),
  }
}
