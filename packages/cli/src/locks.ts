/** The saved fields of destinations: `users.lock.json` beside `users.yaml`. */
import * as fs from "node:fs"
import { type ConfigError, parseLock, type SchemaLock } from "@sluice/core"
import * as Effect from "effect/Effect"
import { EnvironmentRefused } from "./node/environment.ts"

export const lockFileOf = (file: string): string => `${file.replace(/\.ya?ml$/, "")}.lock.json`

/** Undefined where nothing is saved. */
export const readLock = (file: string): Effect.Effect<SchemaLock | undefined, ConfigError> =>
  Effect.suspend(() => {
    const lockFile = lockFileOf(file)
    return fs.existsSync(lockFile) ? parseLock(lockFile, fs.readFileSync(lockFile, "utf8"), file) : Effect.undefined
  })

export const writeLock = (file: string, text: string): Effect.Effect<void, EnvironmentRefused> =>
  Effect.try({
    try: () => fs.writeFileSync(lockFileOf(file), text),
    catch: () => new EnvironmentRefused({ message: `${lockFileOf(file)} cannot be written` }),
  })
