/**
 * Puts rows into calls. Rows of one parent are never in two calls at once: writing them locks the parent
 * (salesforce trap 38). Pure.
 */
import type { Aim } from "./aim.ts"

/** Rows of one request, all of one object, by key or by id. */
export interface Chunk {
  readonly type: string
  readonly isByKey: boolean
  readonly aims: ReadonlyArray<Aim>
}

/** One call: its chunks run one after the other. */
export type Unit = ReadonlyArray<Chunk>

export interface Sizes {
  /** Rows of a chunk. */
  readonly rows: number
  /** Chunks of a call. */
  readonly chunks: number
}

export type PartitionOf = (aim: Aim) => string | undefined

/** Rows of one parent stand together; others keep their order behind them. */
const byParent = (aims: ReadonlyArray<Aim>, partitionOf: PartitionOf): ReadonlyArray<ReadonlyArray<Aim>> => {
  const families = new Map<string, Array<Aim>>()
  const orphans: Array<ReadonlyArray<Aim>> = []
  for (const aim of aims) {
    const parent = partitionOf(aim)
    if (parent === undefined) orphans.push([aim])
    else families.set(parent, [...(families.get(parent) ?? []), aim])
  }
  return [...families.values(), ...orphans]
}

const sliced = (aims: ReadonlyArray<Aim>, size: number): ReadonlyArray<ReadonlyArray<Aim>> =>
  Array.from({ length: Math.ceil(aims.length / size) }, (_, n) => aims.slice(n * size, (n + 1) * size))

/**
 * Fills calls with whole families. One that is larger than a call goes as several, one after the other: a lane. Lanes
 * may run at the same time.
 */
const lanesOf = (
  families: ReadonlyArray<ReadonlyArray<Aim>>,
  size: number,
): ReadonlyArray<ReadonlyArray<ReadonlyArray<Aim>>> => {
  const lanes: Array<ReadonlyArray<ReadonlyArray<Aim>>> = []
  let open: Array<Aim> = []
  const close = () => {
    if (open.length > 0) lanes.push([open])
    open = []
  }
  for (const family of families) {
    if (family.length > size) {
      lanes.push(sliced(family, size))
      continue
    }
    if (open.length + family.length > size) close()
    open.push(...family)
  }
  close()
  return lanes
}

/** What can be written in one request: one object, by key or by id. */
const kindOf = ({ type, id }: Aim): string => `${id === undefined ? "key" : "id"} ${type}`

/** Steps that follow each other; each has lanes that run at the same time; each lane has calls that follow each other. */
export type Plan = ReadonlyArray<ReadonlyArray<ReadonlyArray<Unit>>>

export const planWrites = (aims: ReadonlyArray<Aim>, sizes: Sizes, partitionOf: PartitionOf): Plan =>
  [...Map.groupBy(aims, kindOf).values()].map((kind) => {
    const [first] = kind
    const type = first?.type ?? ""
    const isByKey = first?.id === undefined
    const chunked = (call: ReadonlyArray<Aim>): Unit =>
      sliced(call, sizes.rows).map((part) => ({ type, isByKey, aims: part }))
    return lanesOf(byParent(kind, partitionOf), sizes.rows * sizes.chunks).map((lane) => lane.map(chunked))
  })
