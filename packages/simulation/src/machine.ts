/**
 * The machine a process runs on: its clock, its scheduler and the instant it loses power. Everything between two
 * operations on the outside (an HTTP call, a SQL statement) is one synchronous step, so a seed replays exactly.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import type { Scheduler, SchedulerDispatcher } from "effect/Scheduler"
import { Violation } from "./violation.ts"

export type Ended<A, E> = { readonly _tag: "Ended"; readonly exit: Exit.Exit<A, E> } | { readonly _tag: "Crashed" }

/** The power goes at the `at`-th such operation of a life: before it, or after it and before anybody hears of it. */
export interface Crash {
  /** What the operation's label starts with. */
  readonly of: string
  readonly at: number
  readonly when: "before" | "after"
}

export interface Machine {
  readonly now: () => number
  readonly clock: Clock.Clock
  readonly crashed: () => boolean
  /** An operation on the outside. After a crash it never happens and never answers, as with kill -9. */
  readonly operation: <A, E, R>(label: string, act: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Runs one life of a process until it ends by itself or crashes. */
  readonly live: <A, E>(seed: number, effect: Effect.Effect<A, E>, crash: Crash | undefined) => Ended<A, E>
  /** Lets time pass while no process runs. */
  readonly wait: (millis: number) => void
  /** A rule is broken: the process stops here, and `live` throws. */
  readonly violate: (rule: string, message: string) => never
  /** Notes something in the trace. */
  readonly note: (text: string) => void
  /** Of every operation, its time and everything noted: equal for two runs of one seed. */
  readonly trace: () => string
}

interface Sleeper {
  readonly at: number
  readonly order: number
  readonly wake: () => void
}

const mostSteps = 2_000_000
const mostWakes = 50_000

export const makeMachine = (startMillis: number, log: ((line: string) => void) | undefined): Machine => {
  let time = startMillis
  let sleepers: Array<Sleeper> = []
  let order = 0
  let tasks: Array<() => void> = []
  let matched = 0
  let crash: Crash | undefined
  let crashed = false
  let violation: Violation | undefined
  let hash = 0x811c9dc5

  const note = (text: string): void => {
    log?.(`${time - startMillis} ${text}`)
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
    hash = Math.imul(hash ^ (time & 0xffffffff), 0x01000193)
  }

  const operation = <A, E, R>(label: string, act: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      if (crashed) return Effect.never
      note(label)
      if (crash === undefined || !label.startsWith(crash.of)) return act
      matched += 1
      if (matched !== crash.at) return act
      crashed = true
      note(`crash ${crash.when}`)
      return crash.when === "before" ? Effect.never : Effect.andThen(Effect.exit(act), Effect.never)
    })

  const nanos = (): bigint => BigInt(time) * 1_000_000n
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: () => time,
    currentTimeMillis: Effect.sync(() => time),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.callback<void>((resume) => {
        const millis = Duration.toMillis(duration)
        if (!Number.isFinite(millis)) return
        const sleeper: Sleeper = {
          at: time + Math.max(0, Math.ceil(millis)),
          order: order++,
          wake: () => resume(Effect.void),
        }
        sleepers.push(sleeper)
        return Effect.sync(() => {
          sleepers = sleepers.filter((each) => each !== sleeper)
        })
      }),
  }

  const dispatcher: SchedulerDispatcher = {
    scheduleTask: (task) => {
      tasks.push(task)
    },
    flush: () => {},
  }

  const settle = (): void => {
    let steps = 0
    while (tasks.length > 0 && !crashed) {
      const ready = tasks
      tasks = []
      for (const task of ready) {
        if (crashed) return
        task()
        steps += 1
      }
      if (steps > mostSteps) throw new Violation("liveness", "the process is busy for ever")
    }
  }

  const wakeNext = (): void => {
    const next = sleepers.reduce<Sleeper | undefined>(
      (best, each) =>
        best === undefined || each.at < best.at || (each.at === best.at && each.order < best.order) ? each : best,
      undefined,
    )
    if (next === undefined) throw new Violation("liveness", "the process waits for something that never comes")
    sleepers = sleepers.filter((each) => each !== next)
    time = Math.max(time, next.at)
    next.wake()
  }

  const live = <A, E>(seed: number, effect: Effect.Effect<A, E>, plan: Crash | undefined): Ended<A, E> => {
    sleepers = []
    tasks = []
    matched = 0
    crashed = false
    crash = plan
    // Op counts decide nothing here, so a fiber yields when it waits and never else: steps are the same on each replay.
    const scheduler: Scheduler = {
      executionMode: "sync",
      shouldYield: () => false,
      makeDispatcher: () => dispatcher,
    }
    const fiber = Effect.runFork(
      effect.pipe(Effect.provideService(Clock.Clock, clock), Random.withSeed(`simulation ${seed}`)),
      { scheduler },
    )
    for (let steps = 0; ; steps += 1) {
      settle()
      if (violation !== undefined) throw violation
      if (crashed) {
        sleepers = []
        tasks = []
        return { _tag: "Crashed" }
      }
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return { _tag: "Ended", exit }
      if (steps > mostWakes) throw new Violation("liveness", "the process never ends")
      wakeNext()
    }
  }

  return {
    now: () => time,
    clock,
    crashed: () => crashed,
    violate: (rule, message) => {
      violation ??= new Violation(rule, message)
      crashed = true
      throw violation
    },
    operation,
    live,
    wait: (millis) => {
      time += millis
    },
    note,
    trace: () => (hash >>> 0).toString(16),
  }
}
