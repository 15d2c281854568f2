/** What a plugin may ask for: HTTP, durable state of its own, and a scope that ends with the run. */
import * as Context from "effect/Context"
import type { Effect } from "effect/Effect"
import type { HttpClient } from "effect/http/HttpClient"
import type { Option } from "effect/Option"
import type { Scope } from "effect/Scope"

/**
 * Durable values of one connection, such as a rotated refresh token. A `set` that has returned survives a crash.
 * Encrypted when `SLUICE_STATE_KEY` is set.
 */
export class PluginState extends Context.Service<
  PluginState,
  {
    readonly get: (key: string) => Effect<Option<string>>
    readonly set: (key: string, value: string) => Effect<void>
  }
>()("@sluice/core/PluginState") {}

export type PluginServices = HttpClient | PluginState | Scope

/** The options every source and sink takes beside its own, given to `open`. */
export interface Endpoint {
  /** The name in the pipeline file: `tenant`, `brevo`. Labels calls in the report. */
  readonly name: string
  /** Replaces the vendor's address: a proxy, a mock, the sandbox. */
  readonly baseUrl: string | undefined
  /** The part of the vendor's rate limit to use, above 0 and up to 1. */
  readonly share: number | undefined
  /** Allows http to a host that is not this machine. */
  readonly insecure: boolean
}

/** Who the credentials are, asked from the vendor at the start of each run. State belongs to `account`. */
export interface Identity {
  /** Stable and unique for the vendor; credentials of the same account give the same. */
  readonly account: string
  /** What a person recognises: the tenant's or company's name. */
  readonly label: string
  /** Scopes or features the credentials have, where the vendor says. */
  readonly granted?: ReadonlyArray<string>
  /** What `check --connect` should say about them. An error fails the check. */
  readonly findings?: ReadonlyArray<{ readonly severity: "error" | "warning"; readonly message: string }>
}
