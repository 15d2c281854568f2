/** Opens an existing state for the commands that look at it or mend it. */
import * as Effect from "effect/Effect"
import { Host } from "./host.ts"
import { layer, type NodeServices, readEnvironment, stateExists, stateName } from "./node/index.ts"
import { UsageError } from "./troubles.ts"

export interface StateInput {
  readonly state: string | undefined
  readonly envFile: string | undefined
}

/** Never makes a new state: a wrong path would look like an empty one. */
export const withState = Effect.fnUntraced(function* <A, E, R>(
  { state, envFile }: StateInput,
  effect: Effect.Effect<A, E, R | NodeServices>,
) {
  const { env } = yield* Host
  const variables = yield* readEnvironment({ pipelineFile: "pipeline.yaml", envFile, env })
  const options = { stateFile: state, env: Object.fromEntries(variables) }
  if (!(yield* stateExists(options))) {
    const fix = "run a pipeline first, or name another state with --state"
    return yield* new UsageError({ message: `there is no state at ${yield* stateName(options)}`, fix })
  }
  return yield* effect.pipe(Effect.provide(layer(options)))
})
