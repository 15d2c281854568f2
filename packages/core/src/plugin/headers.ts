/** Reads the times that HTTP answers carry, for the plugins' error tables. */
import type { Headers } from "effect/http/Headers"

/**
 * The wait that `Retry-After` asks for, in milliseconds; undefined where the header is absent, past or not readable.
 * A date counts from the answer's own `Date`, so a wrong clock on this side does not matter.
 */
export const retryAfterMillis = (headers: Headers): number | undefined => {
  const value = headers["retry-after"]?.trim()
  if (value === undefined || value === "") return undefined
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000
  const millis = Date.parse(value) - Date.parse(headers.date ?? "")
  return millis >= 0 ? millis : undefined
}
