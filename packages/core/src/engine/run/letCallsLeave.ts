/** Work of milliseconds, such as a page or a commit, waits until the calls asked for just now are on their way. */
import * as Effect from "effect/Effect"

/**
 * undici looks at an idle connection for one turn of the event loop before it writes to it, and whoever asks for the call
 * may itself be a task of the next turn. docs/adr/0049-calls-leave-first.md has what it saves.
 */
export const letCallsLeave: Effect.Effect<void> = Effect.andThen(Effect.yieldNow, Effect.yieldNow)
