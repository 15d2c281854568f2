/** `sluice sandbox`: a local Auth0, Brevo, Salesforce and Persona until a signal, with the variables that make every config use them. */
import { environment, makeSandbox, serve } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import { Host } from "../host.ts"
import { forShell } from "../pasteable.ts"
import { clean, plural } from "../render/text.ts"

export interface SandboxInput {
  readonly users: number
  readonly seed: number
  readonly port: number
  readonly limits: "real" | "high" | "off"
  readonly messy: boolean
  readonly json: boolean
}

export const handler = Effect.fnUntraced(function* ({ users, seed, port, limits, messy, json }: SandboxInput) {
  const host = yield* Host
  const sandbox = yield* makeSandbox({ users, seed, limits, messy })
  const serving = Effect.gen(function* () {
    const { origin } = yield* serve(sandbox, port)
    const variables = environment(origin)
    yield* host.out(
      json
        ? `${JSON.stringify({ origin, users, seed, limits, messy, environment: variables }, null, 2)}\n`
        : Object.entries(variables)
            .map(([name, value]) => `export ${name}=${forShell(value)}\n`)
            .join(""),
    )
    yield* host.err(`sandbox with ${plural(users, "user")} on ${clean(origin)}; end it with Ctrl-C\n`)
    yield* Effect.never
  })
  yield* Effect.scoped(serving)
})
