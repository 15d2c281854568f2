/**
 * What Persona keeps for an idempotency key: the first answer, whatever it was, failures of its own included. 401 and 429
 * come before it. persona.md §0.5
 */
import type { Delivery, Now, SandboxAnswer, SandboxRequest } from "../exchange.ts"
import { failure } from "./errors.ts"

const DAY = 86_400_000

interface Kept {
  readonly request: string
  readonly answer: SandboxAnswer
  readonly until: number
}

const requestOf = ({ path, body }: SandboxRequest): string => `${path} ${body}`

export const makeIdempotency = (now: Now) => {
  const kept = new Map<string, Kept>()
  const keyOf = ({ method, headers }: SandboxRequest) => (method === "POST" ? headers["idempotency-key"] : undefined)

  return {
    /** The answer there was, or that the key was used for something else. */
    replay: (request: SandboxRequest): SandboxAnswer | undefined => {
      const key = keyOf(request)
      const found = key === undefined ? undefined : kept.get(key)
      if (found === undefined || found.until < now()) return undefined
      return found.request === requestOf(request)
        ? found.answer
        : failure(400, "Bad Request", "The idempotency key was used with different parameters")
    },
    keep: (request: SandboxRequest, { answer, cutAfterBytes }: Delivery): void => {
      const key = keyOf(request)
      // A request that was cut off before it arrived has the answer of a failure, which nobody made.
      const neverCame = cutAfterBytes !== undefined && answer.status >= 500
      if (key === undefined || kept.has(key) || neverCame || [401, 429, 501].includes(answer.status)) return
      kept.set(key, { request: requestOf(request), answer, until: now() + DAY })
    },
  }
}

export type Idempotency = ReturnType<typeof makeIdempotency>
