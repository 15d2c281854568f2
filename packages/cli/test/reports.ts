/** Reports for tests, whole but for what a test is about. */
import type { PipelineReport, RouteCounts, RunReport } from "@sluice/core"

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

export const reportOf = (part: Partial<PipelineReport>): RunReport => {
  const pipeline: PipelineReport = {
    pipeline: "users",
    run_id: "r1",
    ok: true,
    status: "completed",
    read: 0,
    routes: {},
    calls: {},
    waited_ms: 0,
    recovered: {},
    duration_ms: 1,
    completeness: null,
    dropped: {},
    kept: {},
    notices: [],
    error: null,
    resumable: false,
    ...part,
  }
  return { ok: pipeline.ok, pipelines: [pipeline] }
}
