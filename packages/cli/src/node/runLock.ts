/**
 * `RunLock` by an exclusive SQLite transaction on a file of its own: the system frees it the moment its holder dies,
 * kill -9 included, and other commands can read the state meanwhile.
 */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { DatabaseSync } from "node:sqlite"
import { LockHeld, RunLock } from "@sluice/core"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { prepareStateFolder, type StateUnusable } from "./stateFile.ts"

const BUSY = 5

const Holder = Schema.fromJsonString(Schema.Struct({ pid: Schema.Int, host: Schema.String, started: Schema.String }))
type Holder = typeof Holder.Type

/** A name of a pipeline as a file name that no other pipeline has. */
const fileFor = (folder: string, pipeline: string): string => {
  const readable = pipeline.replaceAll(/[^A-Za-z0-9_-]/g, "_").slice(0, 60)
  const exact = createHash("sha256").update(pipeline).digest("hex").slice(0, 8)
  return path.join(folder, `${readable}-${exact}.lock`)
}

/** Locked, or undefined where another holds it. Two connections exclude each other within one process too. */
const lock = (file: string): DatabaseSync | undefined => {
  // Opened by us only when it is new: closing a file frees the locks this process has on it.
  if (!fs.existsSync(file)) fs.closeSync(fs.openSync(file, "a", 0o600))
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec("BEGIN EXCLUSIVE")
    return database
  } catch (cause) {
    database.close()
    if (cause instanceof Error && "errcode" in cause && cause.errcode === BUSY) return undefined
    throw cause
  }
}

const isAlive = (holder: Holder): boolean => {
  if (holder.host !== os.hostname()) return true
  try {
    process.kill(holder.pid, 0)
    return true
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "EPERM"
  }
}

/** The note beside the lock. It decides nothing: a new holder writes it just after it has the lock. */
const readHolder = (file: string): Effect.Effect<Holder, unknown> =>
  Effect.try(() => fs.readFileSync(`${file}.json`, "utf8")).pipe(
    Effect.flatMap(Schema.decodeEffect(Holder)),
    Effect.filterOrFail(isAlive, () => "left by a process that is gone"),
    Effect.retry({ schedule: Schedule.spaced("20 millis"), times: 5 }),
  )

const describe = (holder: Holder): string => `process ${holder.pid} on ${holder.host}, started at ${holder.started}`

const writeHolder = (file: string, started: string): void => {
  const text = JSON.stringify({ pid: process.pid, host: os.hostname(), started })
  fs.writeFileSync(`${file}.json.${process.pid}`, text, { mode: 0o600 })
  fs.renameSync(`${file}.json.${process.pid}`, `${file}.json`)
}

const release = (file: string, database: DatabaseSync): void => {
  fs.rmSync(`${file}.json`, { force: true })
  database.close()
}

const held = (pipeline: string, file: string): Effect.Effect<never, LockHeld> =>
  readHolder(file).pipe(
    Effect.match({ onFailure: () => "its holder is not known", onSuccess: describe }),
    Effect.flatMap((holder) => Effect.fail(new LockHeld({ pipeline, holder }))),
  )

const acquire = (pipeline: string, file: string) =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const database = lock(file)
      if (database === undefined) return yield* held(pipeline, file)
      const now = yield* DateTime.now
      writeHolder(file, DateTime.formatIso(now))
      return database
    }),
    (database) => Effect.sync(() => release(file, database)),
  )

export interface RunLockOptions {
  /** The folder of the state; made with mode 0700 when missing. */
  readonly folder: string
}

export const layer = (options: RunLockOptions): Layer.Layer<RunLock, StateUnusable> =>
  Layer.effect(RunLock)(
    Effect.as(prepareStateFolder(options.folder), {
      acquire: (pipeline) => Effect.asVoid(acquire(pipeline, fileFor(options.folder, pipeline))),
    }),
  )

/** For a state in memory, which no other process shares. */
export const layerMemory: Layer.Layer<RunLock> = Layer.sync(RunLock)(() => {
  const taken = new Set<string>()
  const take = (pipeline: string) =>
    Effect.suspend(() => {
      if (taken.has(pipeline)) return Effect.fail(new LockHeld({ pipeline, holder: `process ${process.pid}` }))
      return Effect.sync(() => taken.add(pipeline))
    })
  const free = (pipeline: string) => Effect.sync(() => taken.delete(pipeline))
  return { acquire: (pipeline) => Effect.asVoid(Effect.acquireRelease(take(pipeline), () => free(pipeline))) }
})
