/** Where a pipeline that runs stands, as lines: how far, what became of the rows of each route, what it waits for. */
import type { RouteCounts } from "@sluice/core"
import { displayWidth } from "effect/cli/CliOutput"
import { clean, duration, fit, number, type Page, plural } from "./text.ts"

/** Times in milliseconds of a clock that only goes forward. */
export interface Standing {
  readonly pipeline: string
  readonly startedAt: number
  readonly expected: number | undefined
  /** Of the slowest route. */
  settled: number
  /** When `settled` last grew: batches settle as a whole, so a rate taken in between would sink. */
  settledAt: number
  routes: { readonly [route: string]: Readonly<RouteCounts> }
  /** By connection. */
  readonly waits: Map<string, { readonly why: "limit" | "retry"; readonly until: number }>
  /** By route. */
  readonly jobs: Map<string, { readonly rows: number; readonly since: number }>
}

export const newStanding = (pipeline: string, startedAt: number, expected: number | undefined): Standing => ({
  pipeline,
  startedAt,
  expected,
  settled: 0,
  settledAt: startedAt,
  routes: {},
  waits: new Map(),
  jobs: new Map(),
})

/** A block for a terminal; no line of it is wider than the terminal. */
export const describeLive = (standing: Standing, now: number, { width, style }: Page): ReadonlyArray<string> => {
  const room = width - 1
  const columns = width < 100 ? BAR.narrow : BAR.wide
  const names = Object.keys(standing.routes)
  const widest = Math.max(0, ...names.map((name) => displayWidth(clean(name))))
  return [
    fit(join(pace(standing, now, columns), room), room),
    ...names.map((name) => fit(`  ${clean(name).padEnd(widest)}  ${countsText(standing, name)}`, room)),
    ...[...jobTexts(standing, now), ...waitTexts(standing, now)].map((text) => style.yellow(fit(`  ${text}`, room))),
  ]
}

/** One line, for a log. */
export const describeLine = (standing: Standing, now: number, { width }: Page): string => {
  const counts = Object.keys(standing.routes).map((name) => `${clean(name)} ${countsText(standing, name)}`)
  return join([...pace(standing, now, 0), ...counts, ...jobTexts(standing, now), ...waitTexts(standing, now)], width)
}

/** As many parts as fit. */
const join = (parts: ReadonlyArray<string>, width: number): string =>
  parts.reduce((line, part) => {
    const longer = `${line}  ${part}`
    return displayWidth(longer) > width ? line : longer
  })

/** Columns of the bar, on a wide terminal and on a narrow one. */
const BAR = { wide: 24, narrow: 12 }

const pace = (standing: Standing, now: number, columns: number): ReadonlyArray<string> => {
  const { expected, settled, settledAt, startedAt } = standing
  const elapsed = now - startedAt
  const rate = settledAt > startedAt ? (settled / (settledAt - startedAt)) * 1000 : 0
  const share = expected === undefined || expected === 0 ? undefined : Math.min(1, settled / expected)
  const left = timeLeft(standing, rate, now)
  return [
    clean(standing.pipeline),
    ...(share === undefined || columns === 0 ? [] : [drawBar(share, columns)]),
    `${number(settled)}${expected === undefined ? "" : `/${number(expected)}`}`,
    ...(share === undefined ? [] : [`${Math.floor(share * 100)}%`]),
    `${number(Math.round(rate))}/s`,
    ...(elapsed < 1000 ? [] : [`after ${whole(elapsed)}`]),
    ...(left === undefined ? [] : [`${duration(left)} left`]),
  ]
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

/** Without tenths: it is redrawn every second. */
const whole = (millis: number): string =>
  millis < 10_000 ? `${Math.max(0, Math.ceil(millis / 1000))} s` : duration(millis)

const SHOWN = ["created", "updated", "deleted", "accepted", "unchanged", "filtered", "rejected", "in_doubt"] as const

const countsText = ({ routes }: Standing, route: string): string => {
  const counts = routes[route]
  const parts = SHOWN.flatMap((name) => {
    const count = counts?.[name] ?? 0
    return count === 0 ? [] : [`${number(count)} ${name.replace("_", " ")}`]
  })
  return parts.length === 0 ? "nothing yet" : parts.join(", ")
}

const jobTexts = ({ jobs }: Standing, now: number): ReadonlyArray<string> =>
  [...jobs].map(
    ([route, { rows, since }]) =>
      `${clean(route)} works on a job of ${plural(rows, "row")} since ${whole(now - since)}`,
  )

const waitTexts = ({ waits }: Standing, now: number): ReadonlyArray<string> =>
  [...waits].flatMap(([connection, { why, until }]) => (until > now ? [waitText(connection, why, until - now)] : []))

export const waitText = (connection: string, why: "limit" | "retry", millis: number): string =>
  why === "limit"
    ? `waiting ${whole(millis)} for ${clean(connection)}'s rate limit`
    : `${clean(connection)} does not answer as it should: trying again in ${whole(millis)}`
