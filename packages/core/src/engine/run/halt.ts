/** Why a run stops before its end. The first reason wins; everyone who waits is told. */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { SinkError, type SinkReason, SourceError, type SourceReason } from "../../plugin/errors.ts"
import { Fenced, StateError, type StateFailure } from "../../state/errors.ts"
import { ConnectionError } from "../connect.ts"

export interface Halt {
  readonly status: "failed" | "interrupted"
  /** A reason's tag, `Interrupted`, `StateError`, `Fenced` or `Bug`. */
  readonly code: string
  readonly message: string
  readonly route?: string
}

export const haltFor = (reason: SourceReason | SinkReason, route?: string): Halt => ({
  status: "failed",
  code: reason._tag,
  message: reason.message,
  ...(route === undefined ? {} : { route }),
})

export const makeHalt = Effect.gen(function* () {
  const deferred = yield* Deferred.make<Halt>()
  let current: Halt | undefined

  const stop = (halt: Halt): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (current !== undefined) return Effect.void
      current = halt
      return Effect.asVoid(Deferred.succeed(deferred, halt))
    })

  return {
    stop,
    current: () => current,
    /** Ends when the run is asked to stop. */
    requested: Deferred.await(deferred),
    /** Sleeps, or returns at once where the run is to stop. */
    sleep: (millis: number) => Effect.asVoid(Effect.raceFirst(Effect.sleep(millis), Deferred.await(deferred))),
    /** Turns whatever goes wrong in part of a run into its end: a defect is a bug and says where it was. */
    guard:
      (where: string) =>
      <A, E extends { readonly message: string; readonly _tag: string }, R>(
        self: Effect.Effect<A, E, R>,
      ): Effect.Effect<A | undefined, never, R> =>
        Effect.catchCause(self, (cause) => {
          if (Cause.hasInterruptsOnly(cause)) return Effect.undefined
          const failure = Option.getOrUndefined(Cause.findErrorOption(cause)) ?? stateDefect(cause)
          const halt =
            failure !== undefined
              ? haltOf(failure)
              : ({ status: "failed", code: "Bug", message: `${where}: ${describeDefect(cause)}` } as const)
          return Effect.as(stop(halt), undefined)
        }),
  }
})

export type Halting = Effect.Success<typeof makeHalt>

/** What a plugin keeps, and a job's rows and reference, are in the state too; its interface has no error for that. */
const stateDefect = (cause: Cause.Cause<unknown>): StateFailure | undefined => {
  const defect = Cause.squash(cause)
  return defect instanceof StateError || defect instanceof Fenced ? defect : undefined
}

/** A vendor's error is known by its reason, another by its tag. */
export const haltOf = (error: { readonly _tag: string; readonly message: string }): Halt =>
  error instanceof SourceError || error instanceof SinkError || error instanceof ConnectionError
    ? { ...haltFor(error.reason), message: error.message }
    : { status: "failed", code: error._tag, message: error.message }

/** The class of a defect and where it was thrown, not its message: that may hold a value. */
const describeDefect = (cause: Cause.Cause<unknown>): string => {
  const defect = Cause.squash(cause)
  if (!(defect instanceof Error)) return "unexpected failure"
  const place = defect.stack?.split("\n").find((line) => line.trim().startsWith("at "))
  return `unexpected ${defect.name}${place === undefined ? "" : ` ${place.trim()}`}`
}
