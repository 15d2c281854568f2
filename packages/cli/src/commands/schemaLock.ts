/** `sluice schema --connect FILE --lock`: saves the live fields beside the file, and says what is new about them. */
import { type LockChange, liveLock, lockChanges, printLock } from "@sluice/core"
import * as Effect from "effect/Effect"
import { EXIT } from "../exit.ts"
import { loadToConnect } from "../load.ts"
import { lockFileOf, readLock, writeLock } from "../locks.ts"
import { layer } from "../node/index.ts"
import { present } from "../present.ts"
import { clean, hang, type Page, plural } from "../render/text.ts"
import type { SchemaInput } from "./schema.ts"

interface Locked {
  readonly lock: string
  /** It is another text than before. */
  readonly written: boolean
  readonly changes: ReadonlyArray<LockChange>
}

export const saveLock = Effect.fnUntraced(function* (file: string, input: SchemaInput) {
  const { plan, env } = yield* loadToConnect({ file, envFile: input.envFile })
  // One that cannot be read, as with the marks of a merge, is written anew: what it says to do must work.
  const before = yield* Effect.catchTag(readLock(file), "ConfigError", () => Effect.undefined)
  const after = yield* liveLock(plan.pipelines).pipe(Effect.provide(layer({ stateFile: input.state, env })))
  const text = printLock(after)
  const written = before === undefined || printLock(before) !== text
  if (written) yield* writeLock(file, text)
  const locked: Locked = { lock: lockFileOf(file), written, changes: lockChanges(before, after) }
  yield* present(locked, { json: input.json, render, exit: EXIT.done })
})

const render = ({ lock, written, changes }: Locked, page: Page): string => {
  const { style, width } = page
  const name = style.bold(clean(lock))
  if (!written) return `${name}  nothing has changed`
  const lines = changes.map(({ sink, object, field, change, message }) => {
    const mark = change === "added" ? style.green("+") : change === "removed" ? style.red("-") : style.yellow("~")
    const what = [[sink, object].filter((part) => part !== undefined).join("."), field].filter(Boolean).join(" ")
    return hang(`  ${mark} `, clean(`${what} ${message}`), width)
  })
  return [`${name}  ${style.green("written")}  ${plural(changes.length, "change")}`, ...lines].join("\n")
}
