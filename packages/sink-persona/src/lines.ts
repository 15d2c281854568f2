/** What a connection gives its writers. */
import type { Identity, SinkError } from "@sluice/core"
import type { Effect } from "effect/Effect"
import type { PersonaApi } from "./api.ts"

export interface Lines {
  readonly api: PersonaApi
  /** Fails unless the environment that answers is the one that is meant: asked before each write. */
  readonly identity: Effect<Identity, SinkError>
  readonly callsPerSecond: number
}
