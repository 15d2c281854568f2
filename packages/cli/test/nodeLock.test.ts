/** The run lock across processes: who is refused, what they are told, and when it is free again. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { LockHeld, RunLock, type StateError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { layer, layerMemory } from "../src/node/runLock.ts"

const script = path.join(import.meta.dirname, "node", "holdLock.ts")

const temporary = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "sluice-lock-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true })),
)

const end = (child: ChildProcess) =>
  Effect.promise(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, "exit")
    child.kill("SIGKILL")
    await gone
  })

const holder = (folder: string, pipeline: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const child = spawn(process.execPath, [script, folder, pipeline], { stdio: ["ignore", "pipe", "inherit"] })
      await once(child.stdout, "data")
      return child
    }),
    end,
  )

const tryLock = (folder: string, pipeline: string) =>
  RunLock.use((lock) => Effect.exit(Effect.scoped(lock.acquire(pipeline)))).pipe(Effect.provide(layer({ folder })))

const refusal = (exit: Exit.Exit<void, LockHeld | StateError>): LockHeld | undefined =>
  Exit.match(exit, {
    onSuccess: () => undefined,
    onFailure: (cause) => cause.reasons.map((each) => (each._tag === "Fail" ? each.error : undefined)).find(isHeld),
  })

const isHeld = (error: unknown): error is LockHeld => error instanceof LockHeld

describe("rule 10: one run of a pipeline at a time", () => {
  it.live("B07: a second process is refused at once and is told pid, host and start of the first", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const first = yield* holder(folder, "users")
      const before = performance.now()
      const refused = refusal(yield* tryLock(folder, "users"))
      assert.isBelow(performance.now() - before, 5000)
      assert.instanceOf(refused, LockHeld)
      assert.include(refused.message, `process ${first.pid} on ${os.hostname()}, started at 20`)
      assert.isTrue(Exit.isSuccess(yield* tryLock(folder, "other")), "another pipeline is free")
    }),
  )

  it.live("B08: after kill -9 of the holder the next one gets the lock at once, whatever the note still says", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const first = yield* holder(folder, "users")
      assert.isTrue(Exit.isFailure(yield* tryLock(folder, "users")))
      yield* end(first)
      assert.isTrue(fs.readdirSync(folder).some((name) => name.endsWith(".lock.json")))
      assert.isTrue(Exit.isSuccess(yield* tryLock(folder, "users")))
    }),
  )

  it.live("B07: two runs within one process exclude each other, and a refused one does not free the lock", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const scope = yield* Scope.make()
      yield* RunLock.use((lock) => Scope.provide(lock.acquire("a/b"), scope)).pipe(Effect.provide(layer({ folder })))
      for (const _ of [1, 2]) {
        assert.include(refusal(yield* tryLock(folder, "a/b"))?.holder, `process ${process.pid}`)
      }
      assert.isTrue(Exit.isSuccess(yield* tryLock(folder, "a_b")), "a name that only looks alike is another one")
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.isSuccess(yield* tryLock(folder, "a/b")))
    }),
  )

  it.live("the lock and its note are readable by their owner only, and the note goes with the lock", () =>
    Effect.gen(function* () {
      const folder = path.join(yield* temporary, ".sluice")
      const modes = () => {
        const names = fs.readdirSync(folder)
        return names.map(
          (name) => `${path.extname(name)} ${(fs.statSync(path.join(folder, name)).mode & 0o777).toString(8)}`,
        )
      }
      const held = yield* RunLock.use((lock) => Effect.scoped(Effect.map(lock.acquire("users"), modes))).pipe(
        Effect.provide(layer({ folder })),
      )
      assert.includeMembers(held, [".lock 600", ".json 600"])
      assert.isTrue(held.every((mode) => mode.endsWith(" 600")))
      assert.deepStrictEqual(modes(), [".lock 600"])
      assert.strictEqual(fs.statSync(folder).mode & 0o777, 0o700)
    }),
  )

  it.effect("B07: the lock of a state in memory excludes a second run as well", () =>
    Effect.gen(function* () {
      const lock = yield* RunLock
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* lock.acquire("users")
          assert.instanceOf(yield* Effect.flip(lock.acquire("users")), LockHeld)
        }),
      )
      yield* Effect.scoped(lock.acquire("users"))
    }).pipe(Effect.provide(layerMemory)),
  )
})
