/** Writes files that did not exist, and others only when told to. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { EnvironmentRefused } from "../node/environment.ts"
import { UsageError } from "../troubles.ts"

export interface NewFile {
  readonly file: string
  readonly text: string
  /** Only the owner may read it. */
  readonly secret?: boolean
  /** Its text begins with what is there. */
  readonly adds?: boolean
}

/** As a report names it. */
export interface Written {
  readonly file: string
  readonly action: "written" | "added to"
}

export const written = ({ file, adds }: NewFile): Written => ({ file, action: adds === true ? "added to" : "written" })

/** Fails where one is there already, before anything is written. */
export const refuseExisting = (files: ReadonlyArray<string>): Effect.Effect<void, UsageError> => {
  const there = files.filter((file) => fs.existsSync(file))
  return there.length === 0
    ? Effect.void
    : Effect.fail(new UsageError({ message: `${there.join(", ")} exists`, fix: "name another, or give --force" }))
}

/** Replaces what is there. */
export const writeFiles = (files: ReadonlyArray<NewFile>): Effect.Effect<void, EnvironmentRefused> =>
  Effect.forEach(
    files,
    ({ file, text, secret }) =>
      Effect.try({
        try: () => {
          fs.mkdirSync(path.dirname(path.resolve(file)), { recursive: true })
          fs.writeFileSync(file, text, secret === true ? { mode: 0o600 } : {})
        },
        catch: () => new EnvironmentRefused({ message: `the file ${file} cannot be written` }),
      }),
    { discard: true },
  )

/** What must not reach Git, where no file says so yet: here or in a folder above. */
export const ignoreFile = (folder: string): ReadonlyArray<NewFile> => {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    if (fs.existsSync(path.join(at, ".gitignore"))) return []
    if (at === path.dirname(at)) return [{ file: path.join(folder, ".gitignore"), text: ".env\n.sluice/\n" }]
  }
}
