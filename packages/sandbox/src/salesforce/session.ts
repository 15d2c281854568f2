/** What every route of the fake org works with. */
import type { SandboxRequest } from "../exchange.ts"
import { type Call, callOf } from "./call.ts"
import type { SalesforceJournal } from "./journal.ts"
import type { Org } from "./org.ts"

export interface Session {
  readonly org: Org
  readonly journal: SalesforceJournal
  /** Counts a call or a batch. */
  readonly call: (request: SandboxRequest, version: string) => Call
  readonly next: () => number
}

export const makeSession = (org: Org, journal: SalesforceJournal): Session => {
  let calls = 0
  const next = () => ++calls
  return { org, journal, next, call: (request, version) => callOf(request, version, next()) }
}
