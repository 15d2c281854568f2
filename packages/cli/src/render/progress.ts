/** How far a run is: a block that is redrawn on a terminal, a line now and then elsewhere. */
import type { RouteCounts, RunEvent } from "@sluice/core"
import { describeLine, describeLive, newStanding, type Standing, waitText } from "./standing.ts"
import { clean, duration, type Page, plural } from "./text.ts"

export interface Progress {
  /** What to print for an event, or nothing; `now` in milliseconds of a clock that only goes forward. */
  readonly on: (event: RunEvent, now: number) => string
  /** What to print every second: what stands still looks like a program that hangs. */
  readonly tick: (now: number) => string
  /** What to print for a line from elsewhere, which must not end up in the block. */
  readonly note: (text: string) => string
  /** What to print last, so that the next line starts clean. */
  readonly end: () => string
}

const CLEAR_LINE = "\r\u001b[2K"
const LINE_UP = "\u001b[1A"

/** Milliseconds between two lines of a log: often at first, then at a pace that a long run's log bears. */
const paceOfLog = (elapsed: number): number => (elapsed < 60_000 ? 5000 : 30_000)
/** A wait that a log tells of. */
const LONG_WAIT = 10_000

/** `live`: a terminal that shows the block. */
export const makeProgress = (page: Page, live: boolean): Progress => {
  const standings = new Map<string, Standing>()
  let printedAt = Number.NEGATIVE_INFINITY
  /** Lines of the block on the screen. */
  let drawn = 0
  let current = ""

  const clear = () => {
    const text = drawn === 0 ? "" : CLEAR_LINE + `${LINE_UP}${CLEAR_LINE}`.repeat(drawn - 1)
    drawn = 0
    return text
  }
  const note = (text: string) => `${clear()}${text}\n`

  const draw = (pipeline: string, now: number): string => {
    const standing = standings.get(pipeline)
    if (standing === undefined) return ""
    printedAt = now
    current = pipeline
    if (!live) return `${describeLine(standing, now, page)}\n`
    const lines = describeLive(standing, now, page)
    const text = clear() + lines.join("\n")
    drawn = lines.length
    return text
  }

  const drawIfDue = (standing: Standing | undefined, now: number): string => {
    if (standing === undefined) return ""
    const every = live ? 100 : paceOfLog(now - standing.startedAt)
    return now - printedAt < every ? "" : draw(standing.pipeline, now)
  }

  const on = (event: RunEvent, now: number): string => {
    switch (event._tag) {
      case "Started": {
        const { pipeline, expected, source } = event
        standings.set(pipeline, newStanding(pipeline, now, expected))
        printedAt = live ? printedAt : now
        current = pipeline
        const about = expected === undefined ? "" : `, about ${plural(expected, "record")}`
        return note(page.style.dim(`${clean(pipeline)}: reading ${clean(source)}${about}`))
      }
      case "Progress": {
        const standing = standings.get(event.pipeline)
        if (standing !== undefined) take(standing, event, now)
        return drawIfDue(standing, now)
      }
      case "Waiting": {
        const { pipeline, connection, why, millis } = event
        const waits = standings.get(pipeline)?.waits
        const known = (waits?.get(connection)?.until ?? 0) > now
        waits?.set(connection, { why, until: now + millis })
        if (live) return draw(pipeline, now)
        return known || millis < LONG_WAIT ? "" : note(`${clean(pipeline)}: ${waitText(connection, why, millis)}`)
      }
      case "Job": {
        const { pipeline, route, rows, step } = event
        const jobs = standings.get(pipeline)?.jobs
        const since = jobs?.get(route)?.since ?? now
        if (step === "submitted") jobs?.set(route, { rows, since })
        else jobs?.delete(route)
        const after = step === "submitted" ? "is handed over" : `is over after ${duration(now - since)}`
        const text = `${clean(pipeline)}: a job of ${plural(rows, "row")} for ${clean(route)} ${after}`
        return note(page.style.dim(text))
      }
      case "Notice":
        return note(page.style.yellow(`${clean(event.pipeline)}: ${clean(event.message)}`))
      case "Finished":
        standings.delete(event.report.pipeline)
        return clear()
    }
  }

  const tick = (now: number) => {
    const standing = standings.get(current)
    if (live) return now - printedAt >= 1000 ? draw(current, now) : ""
    return drawIfDue(standing, now)
  }

  return { on, tick, note, end: clear }
}

const take = (standing: Standing, event: Extract<RunEvent, { _tag: "Progress" }>, now: number): void => {
  const counts = Object.values(event.routes).map(settledOf)
  const settled = counts.length === 0 ? 0 : Math.min(...counts)
  if (settled !== standing.settled) standing.settledAt = now
  standing.settled = settled
  standing.routes = event.routes
}

/** What has an outcome. Rows that are read and on their way have none: `pending` is counted when the run ends. */
const settledOf = (counts: Readonly<RouteCounts>): number =>
  counts.delivered + counts.unchanged + counts.filtered + counts.superseded + counts.rejected + counts.in_doubt
