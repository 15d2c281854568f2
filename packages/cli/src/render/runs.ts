/** The history of runs: what each read and wrote, and what did not arrive. */
import type { PipelineReport, StoredRun } from "@sluice/core"
import { type Column, table } from "./table.ts"
import { clean, duration, number, type Page } from "./text.ts"

/** A run as printed: times in ISO 8601, the status the state has. Counts only of one that has ended. */
export interface ListedRun {
  readonly run_id: string
  readonly pipeline: string
  readonly status: string
  readonly started_at: string
  readonly ended_at: string | null
  readonly read: number | null
  readonly delivered: number | null
  /** Rejected or in doubt: dead letters. */
  readonly undelivered: number | null
}

/** Of a run that has ended. Written by this program, into a state that only it writes. */
export const reportOf = ({ ended_at, report }: StoredRun): PipelineReport | undefined =>
  ended_at === null || report === null ? undefined : JSON.parse(report)

export const listed = (run: StoredRun): ListedRun => {
  const { id, pipeline, status, started_at, ended_at } = run
  const report = reportOf(run)
  const routes = Object.values(report?.routes ?? {})
  const sum = (count: (counts: (typeof routes)[number]) => number) =>
    report === undefined ? null : routes.reduce((all, counts) => all + count(counts), 0)
  return {
    run_id: id,
    pipeline,
    status,
    started_at,
    ended_at,
    read: report?.read ?? null,
    delivered: sum(({ delivered }) => delivered),
    undelivered: sum(({ rejected, in_doubt }) => rejected + in_doubt),
  }
}

const columns: ReadonlyArray<Column> = [
  { title: "run" },
  { title: "pipeline", least: 6 },
  { title: "status" },
  { title: "started UTC" },
  { title: "took", align: "right" },
  { title: "read", align: "right" },
  { title: "written", align: "right" },
  { title: "refused", align: "right" },
]

export const renderRuns = (runs: ReadonlyArray<ListedRun>, { style, width }: Page): string => {
  if (runs.length === 0) return "no runs yet"
  const count = (value: number | null) => (value === null ? "" : number(value))
  const rows = runs.map((run) => [
    clean(run.run_id),
    clean(run.pipeline),
    { text: run.status, paint: run.status === "completed" ? style.green : style.red },
    clean(run.started_at.slice(5, 16).replace("T", " ")), // the id has the year and the seconds
    run.ended_at === null ? "" : duration(Date.parse(run.ended_at) - Date.parse(run.started_at)),
    count(run.read),
    count(run.delivered),
    { text: count(run.undelivered), paint: (run.undelivered ?? 0) > 0 ? style.red : style.dim },
  ])
  // The counts where there is room: on a narrow terminal `runs show` has them.
  const most = width < 100 ? 5 : columns.length
  const kept = rows.map((row) => row.slice(0, most))
  return table(columns.slice(0, most), kept, width, style.dim).join("\n")
}
