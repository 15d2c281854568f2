/** How far a run is: one bar that is redrawn on a terminal, a line now and then elsewhere. */
import type { RunEvent } from "@sluice/core"
import { clean, duration, fit, number, type Page } from "./text.ts"

interface Standing {
  readonly startedAt: number
  readonly expected: number | undefined
  readonly read: number
  /** Of the slowest route. */
  readonly settled: number
  readonly waited: number
}

export interface Progress {
  /** What to print for an event, or undefined; `now` in milliseconds of a clock that only goes forward. */
  readonly on: (event: RunEvent, now: number) => string | undefined
  /** What to print last, so that the next line starts clean. */
  readonly end: () => string
}

const CLEAR_LINE = "\r\u001b[2K"
const BAR = 24

/** `live`: a terminal that shows the bar. */
export const makeProgress = (page: Page, live: boolean): Progress => {
  const standings = new Map<string, Standing>()
  const every = live ? 100 : 5000
  let printedAt = Number.NEGATIVE_INFINITY
  let drawn = false

  const above = (text: string) => {
    const clear = drawn ? CLEAR_LINE : ""
    drawn = false
    return `${clear}${text}\n`
  }

  const draw = (pipeline: string, now: number): string | undefined => {
    const standing = standings.get(pipeline)
    if (standing === undefined || now - printedAt < every) return undefined
    printedAt = now
    const text = fit(describe(pipeline, standing, now, live), page.width - 1)
    if (!live) return `${text}\n`
    drawn = true
    return `${CLEAR_LINE}${text}`
  }

  const on = (event: RunEvent, now: number): string | undefined => {
    switch (event._tag) {
      case "Started": {
        standings.set(event.pipeline, { startedAt: now, expected: event.expected, read: 0, settled: 0, waited: 0 })
        printedAt = live ? printedAt : now
        const about = event.expected === undefined ? "" : `, about ${number(event.expected)} records`
        return above(page.style.dim(`${clean(event.pipeline)}: reading ${clean(event.source)}${about}`))
      }
      case "Progress": {
        const before = standings.get(event.pipeline)
        const routes = Object.values(event.routes)
        const settled = routes.map((counts) => counts.read - counts.pending)
        standings.set(event.pipeline, {
          startedAt: before?.startedAt ?? now,
          expected: before?.expected,
          read: event.read,
          settled: settled.length === 0 ? 0 : Math.min(...settled),
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

  return { on, end: () => (drawn ? CLEAR_LINE : "") }
}

const describe = (pipeline: string, standing: Standing, now: number, bar: boolean): string => {
  const { expected, settled, waited } = standing
  const elapsed = now - standing.startedAt
  const rate = elapsed > 0 ? (settled / elapsed) * 1000 : 0
  const share = expected === undefined || expected === 0 ? undefined : Math.min(1, settled / expected)
  const left = expected === undefined || rate === 0 ? undefined : Math.max(0, expected - settled) / rate
  return [
    clean(pipeline),
    ...(share === undefined || !bar ? [] : [drawBar(share)]),
    `${number(settled)}${expected === undefined ? "" : `/${number(expected)}`}`,
    ...(share === undefined ? [] : [`${Math.floor(share * 100)}%`]),
    `${number(Math.round(rate))}/s`,
    ...(left === undefined || settled === 0 ? [] : [`${duration(left * 1000)} left`]),
    ...(waited >= 50 ? [`waited ${duration(waited)} for limits`] : []),
  ].join("  ")
}

const drawBar = (share: number): string => {
  const full = Math.round(share * BAR)
  return "█".repeat(full) + "░".repeat(BAR - full)
}
