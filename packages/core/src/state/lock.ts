/** One run of a pipeline at a time (rule 10). */
import * as Context from "effect/Context"
import type { Effect } from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import type { StateError } from "./errors.ts"

/** Another process holds the pipeline. Exit code 5. */
export class LockHeld extends Schema.TaggedError<LockHeld>()("LockHeld", {
  pipeline: Schema.String,
  /** Process id, host and start of the holder, where it could be read. */
  holder: Schema.String,
}) {
  override get message(): string {
    return `another run of ${this.pipeline} holds the lock (${this.holder})`
  }
}

export class RunLock extends Context.Service<
  RunLock,
  {
    /** Held until the scope ends. The system frees it when the process dies. */
    readonly acquire: (pipeline: string) => Effect<void, LockHeld | StateError, Scope>
  }
>()("@sluice/core/RunLock") {}
