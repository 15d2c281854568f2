/** Counting rows so that every one of them is accounted for (rule 2). */
import type { RecoveredCounts, RouteCounts } from "../report.ts"

/** What a settled row counts as. */
export type Settled =
  | "created"
  | "updated"
  | "deleted"
  | "accepted"
  | "unchanged"
  | "filtered"
  | "superseded"
  | "rejected"
  | "in_doubt"

export const noCounts = (): RouteCounts => ({
  read: 0,
  delivered: 0,
  created: 0,
  updated: 0,
  deleted: 0,
  accepted: 0,
  unchanged: 0,
  filtered: 0,
  superseded: 0,
  rejected: 0,
  in_doubt: 0,
  pending: 0,
})

const isDelivered = (as: Settled): boolean =>
  as === "created" || as === "updated" || as === "deleted" || as === "accepted"

export const count = (counts: RouteCounts, as: Settled, rows: number): void => {
  counts[as] += rows
  if (isDelivered(as)) counts.delivered += rows
}

export const noRecovered = (): RecoveredCounts => ({ delivered: 0, rejected: 0, in_doubt: 0 })

export const countRecovered = (counts: RecoveredCounts, as: Settled, rows: number): void => {
  if (isDelivered(as) || as === "unchanged") counts.delivered += rows
  if (as === "rejected" || as === "in_doubt") counts[as] += rows
}

/** By how much rows handed over and rows accounted for differ; anything but 0 is a bug. */
export const identityGap = (counts: RouteCounts): number =>
  counts.read -
  (counts.delivered +
    counts.unchanged +
    counts.filtered +
    counts.superseded +
    counts.rejected +
    counts.in_doubt +
    counts.pending)
