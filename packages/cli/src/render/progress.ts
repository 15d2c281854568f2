/** How far a run is: one bar that is redrawn on a terminal, a line now and then elsewhere. */
import type { RouteCounts, RunEvent } from "@sluice/core"
import { displayWidth } from "effect/cli/CliOutput"
import { clean, duration, fit, number, type Page, plural } from "./text.ts"

interface Standing {
  readonly startedAt: number
  readonly expected: number | undefined
  /** Of the slowest route. */
  readonly settled: number
  /** When `settled` last grew: batches settle as a whole, so a rate taken in between would sink. */
  readonly settledAt: number
  readonly waited: number
}

export interface Progress {
  /** What to print for an event, or undefined; `now` in milliseconds of a clock that only goes forward. */
  readonly on: (event: RunEvent, now: number) => string | undefined
  /** What to print where nothing has happened for a second: a bar that stands still looks like a program that hangs. */
  readonly tick: (now: number) => string | undefined
  /** What to print last, so that the next line starts clean. */
  readonly end: () => string
}

const CLEAR_LINE = "\r\u001b[2K"
/** Columns of the bar, on a wide terminal and on a narrow one. */
const BAR = { wide: 24, narrow: 12 }

/** `live`: a terminal that shows the bar. */
export const makeProgress = (page: Page, live: boolean): Progress => {
  const standings = new Map<string, Standing>()
  const every = live ? 100 : 5000
  let printedAt = Number.NEGATIVE_INFINITY
  let drawn = false
  let current = ""

  const above = (text: string) => {
    const clear = drawn ? CLEAR_LINE : ""
    drawn = false
    return `${clear}${text}\n`
  }

  const draw = (pipeline: string, now: number): string | undefined => {
    const standing = standings.get(pipeline)
    if (standing === undefined || now - printedAt < every) return undefined
    printedAt = now
    current = pipeline
    const text = fit(describe(pipeline, standing, now, { bar: live, width: page.width - 1 }), page.width - 1)
    if (!live) return `${text}\n`
    drawn = true
    return `${CLEAR_LINE}${text}`
  }

  const on = (event: RunEvent, now: number): string | undefined => {
    switch (event._tag) {
      case "Started": {
        standings.set(event.pipeline, {
          startedAt: now,
          expected: event.expected,
          settled: 0,
          settledAt: now,
          waited: 0,
        })
        printedAt = live ? printedAt : now
        current = event.pipeline
        const about = event.expected === undefined ? "" : `, about ${plural(event.expected, "record")}`
        return above(page.style.dim(`${clean(event.pipeline)}: reading ${clean(event.source)}${about}`))
      }
      case "Progress": {
        const before = standings.get(event.pipeline)
        const routes = Object.values(event.routes)
        const settled = routes.length === 0 ? 0 : Math.min(...routes.map(settledOf))
        standings.set(event.pipeline, {
          startedAt: before?.startedAt ?? now,
          expected: before?.expected,
          settled,
          settledAt: before?.settled === settled ? before.settledAt : now,
          waited: event.waited_ms,
        })
        return draw(event.pipeline, now)
      }
      case "Notice":
        return above(page.style.yellow(`${clean(event.pipeline)}: ${clean(event.message)}`))
      case "Finished": {
        standings.delete(event.report.pipeline)
        return drawn ? above("").slice(0, -1) : undefined
      }
    }
  }

  const tick = (now: number) => (live && now - printedAt >= 1000 ? draw(current, now) : undefined)

  return { on, tick, end: () => (drawn ? CLEAR_LINE : "") }
}

/** What has an outcome. Rows that are read and on their way have none: `pending` is counted when the run ends. */
const settledOf = (counts: RouteCounts): number =>
  counts.delivered + counts.unchanged + counts.filtered + counts.superseded + counts.rejected + counts.in_doubt

interface Room {
  readonly bar: boolean
  readonly width: number
}

const describe = (pipeline: string, standing: Standing, now: number, room: Room): string => {
  const { expected, settled, waited, startedAt, settledAt } = standing
  const elapsed = now - startedAt
  const rate = settledAt > startedAt ? (settled / (settledAt - startedAt)) * 1000 : 0
  const share = expected === undefined || expected === 0 ? undefined : Math.min(1, settled / expected)
  const left = timeLeft(standing, rate, now)
  const parts = [
    clean(pipeline),
    ...(share === undefined || !room.bar ? [] : [drawBar(share, room.width < 100 ? BAR.narrow : BAR.wide)]),
    `${number(settled)}${expected === undefined ? "" : `/${number(expected)}`}`,
    ...(share === undefined ? [] : [`${Math.floor(share * 100)}%`]),
    `${number(Math.round(rate))}/s`,
    ...(elapsed < 1000 ? [] : [`after ${elapsed < 10_000 ? `${Math.floor(elapsed / 1000)} s` : duration(elapsed)}`]),
    ...(left === undefined ? [] : [`${duration(left)} left`]),
    ...(waited >= 50 ? [`waited ${duration(waited)} for limits`] : []),
  ]
  return parts.reduce((line, part) => {
    const longer = `${line}  ${part}`
    return displayWidth(longer) > room.width ? line : longer
  })
}

/** In milliseconds; undefined until a twentieth is done, and where it takes longer than it should have. */
const timeLeft = ({ expected, settled, settledAt }: Standing, rate: number, now: number): number | undefined => {
  if (expected === undefined || rate === 0 || settled < expected / 20) return undefined
  const left = (Math.max(0, expected - settled) / rate) * 1000 - (now - settledAt)
  return left > 0 ? left : undefined
}

const drawBar = (share: number, columns: number): string => {
  const full = Math.round(share * columns)
  return "█".repeat(full) + "░".repeat(columns - full)
}
