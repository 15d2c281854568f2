/** Writes a page to a file of the user's: never over a file that is something else, and for nobody else's eyes if need be. */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import { EnvironmentRefused } from "./node/environment.ts"
import { GENERATOR } from "./render/page/previewPage.ts"
import { UsageError } from "./troubles.ts"

/** The page itself is wanted on standard output. */
export const STDOUT = "-"

const isOurs = (file: string): boolean => {
  const start = Buffer.alloc(512)
  const opened = fs.openSync(file, "r")
  try {
    const length = fs.readSync(opened, start)
    return start.toString("utf8", 0, length).includes(`<meta name="generator" content="${GENERATOR}">`)
  } finally {
    fs.closeSync(opened)
  }
}

const refused = (file: string) => new EnvironmentRefused({ message: `the file ${file} cannot be written` })

/** Before any vendor is asked. An earlier page is replaced; anything else only where `force` says so. */
export const refuseOthers = Effect.fnUntraced(function* (file: string, force: boolean) {
  if (file === STDOUT || !fs.existsSync(file)) return
  const isReplaceable = yield* Effect.try({
    try: () => fs.statSync(file).isFile() && (force || isOurs(file)),
    catch: () => refused(file),
  })
  if (!isReplaceable) {
    return yield* new UsageError({
      message: `${file} is there already, and is no preview page`,
      fix: "name another file, or give --force",
    })
  }
})

/** A new file takes the old one's place: nobody reads half a page, and no earlier mode stays. */
export const writePage = (file: string, page: string, secret: boolean): Effect.Effect<void, EnvironmentRefused> =>
  Effect.try({
    try: () => {
      const beside = `${file}.${process.pid}.tmp`
      try {
        fs.writeFileSync(beside, page, { mode: secret ? 0o600 : 0o644, flag: "wx" })
        fs.renameSync(beside, file)
      } finally {
        fs.rmSync(beside, { force: true })
      }
    },
    catch: () => refused(file),
  })
