/** Prints what a command found: one value, as text or as JSON. */
import * as Effect from "effect/Effect"
import type { ExitCode } from "./exit.ts"
import { Host } from "./host.ts"
import type { Page } from "./render/text.ts"

/** Prints `value` to standard output, as JSON or by `render`, and sets the exit code. */
export const present = Effect.fnUntraced(function* <A>(
  value: A,
  options: { readonly json: boolean; readonly render: (value: A, page: Page) => string; readonly exit: ExitCode },
) {
  const host = yield* Host
  yield* host.out(`${options.json ? JSON.stringify(value, null, 2) : options.render(value, host.outPage)}\n`)
  yield* host.setExit(options.exit)
})
