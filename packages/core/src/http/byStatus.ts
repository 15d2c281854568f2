/** What an HTTP status alone says about a call: for vendors whose answers say no more. */
import { Forbidden, Refused, Unauthorized } from "../plugin/errors.ts"
import { retryAfterMillis } from "../plugin/headers.ts"
import type { Answer, Verdict } from "./api.ts"

/** `classify` of an `Api`. `vendor` is named in messages. */
export const verdictByStatus =
  (vendor: string) =>
  ({ status, headers }: Answer): Verdict => {
    const message = `${vendor} answered HTTP ${status}`
    if (status >= 200 && status < 300) return { _tag: "Accept" }
    if (status === 429) {
      const wait = retryAfterMillis(headers)
      return { _tag: "Throttled", ...(wait === undefined ? {} : { retryAfterMillis: wait }) }
    }
    if (status === 408 || status >= 500) return { _tag: "Transient", applied: true, message }
    if (status === 401) {
      return { _tag: "Fail", reason: new Unauthorized({ message: `${message}: check its credentials` }) }
    }
    if (status === 403) return { _tag: "Fail", reason: new Forbidden({ message }) }
    return { _tag: "Fail", reason: new Refused({ message, code: `http_${status}` }) }
  }
