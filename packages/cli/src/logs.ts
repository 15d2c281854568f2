/** Log entries on standard error: text for people, or one JSON object a line for machines. Standard output is for results. */
import * as Cause from "effect/Cause"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import * as Logger from "effect/Logger"
import type * as Level from "effect/LogLevel"
import * as References from "effect/References"
import type { Debug } from "./globalFlags.ts"
import { describeThrown, Host } from "./host.ts"
import { clean, type Style } from "./render/text.ts"

export const LogFormat = GlobalFlag.Setting("log-format")({
  flag: Flag.Literals("log-format", ["pretty", "json"]).pipe(
    Flag.withDescription("Log entries on standard error as text or as a JSON object a line (pretty)"),
    Flag.withMetavar("FORMAT"),
    Flag.withDefault("pretty"),
  ),
})

export const LogLevel = GlobalFlag.Setting("log-level")({
  flag: Flag.ChoiceWithValue("log-level", [
    ["debug", "Debug"],
    ["info", "Info"],
    ["warn", "Warn"],
    ["error", "Error"],
    ["none", "None"],
  ]).pipe(
    Flag.withDescription("Log entries from this level on (info)"),
    Flag.withMetavar("LEVEL"),
    Flag.withDefault("Info"),
  ),
})

/** What a command asks the command line for. */
export type LogSettings = typeof LogFormat.Identifier | typeof LogLevel.Identifier | typeof Debug.Identifier

interface Entry {
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

const isFields = (part: unknown): part is Record<string, unknown> =>
  typeof part === "object" && part !== null && !Array.isArray(part) && !(part instanceof Error)

/** `Effect.logInfo("text", { field: 1 })`. Of errors and causes only what they are: a message may hold a value. */
const entryOf = ({ message, cause, fiber }: Logger.Options<unknown>): Entry => {
  const parts = Array.isArray(message) ? message : [message]
  const text = parts.flatMap((part) =>
    isFields(part) ? [] : [part instanceof Error ? describeThrown(part) : String(part)],
  )
  const fields = Object.assign({}, fiber.getRef(References.CurrentLogAnnotations), ...parts.filter(isFields))
  const thrown = cause.reasons.length === 0 ? {} : { error: describeThrown(Cause.squash(cause)) }
  return { message: text.join(" "), fields: { ...fields, ...thrown } }
}

const asJson = (options: Logger.Options<unknown>): string => {
  const { message, fields } = entryOf(options)
  const head = { time: options.date.toISOString(), level: options.logLevel.toLowerCase(), message }
  return Formatter.formatJson({ ...head, ...fields, ...head })
}

const paint = (level: Level.LogLevel, style: Style) =>
  level === "Error" || level === "Fatal" ? style.red : level === "Warn" ? style.yellow : style.dim

/** A value could forge a line or move the cursor (engineering.md, trap 10). */
const asText = (options: Logger.Options<unknown>, style: Style): string => {
  const { message, fields } = entryOf(options)
  const shown = Object.entries(fields).map(
    ([name, value]) => ` ${clean(name)}=${clean(typeof value === "string" ? value : Formatter.formatJson(value))}`,
  )
  const { logLevel } = options
  return `${paint(logLevel, style)(`${logLevel.toLowerCase()}:`)} ${clean(message)}${shown.join("")}`
}

/** What a command and its plugins log goes to standard error, in the form and from the level that the flags say. */
export const logging = Effect.fnUntraced(function* <A, E, R>(self: Effect.Effect<A, E, R>) {
  const { err, errPage } = yield* Host
  const format = yield* LogFormat
  const logger = Logger.make((options) => {
    const line = format === "json" ? asJson(options) : asText(options, errPage.style)
    Effect.runSync(err(`${line}\n`))
  })
  return yield* self.pipe(
    Effect.provideService(Logger.CurrentLoggers, new Set([logger])),
    Effect.provideService(References.MinimumLogLevel, yield* LogLevel),
  )
})
