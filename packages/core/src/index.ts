/** The public surface of core: contracts for plugins, and check, preview and run as functions. */

export type { Answer, Api, ApiOptions, Call, CallReason, LimitState, RateLimit, Verdict } from "./http/api.ts"
export { makeApi } from "./http/call.ts"
export { retryAfterMillis } from "./http/headers.ts"
export { CurrentLimiters, type Limiters, makeLimiters } from "./http/limiter.ts"
export { type SimpleSink, Sink, type Target } from "./http/simple.ts"
export { describe } from "./plugin/describe.ts"
export * from "./plugin/errors.ts"
export { type DroppedField, type Effected, Outcome } from "./plugin/outcome.ts"
export * from "./plugin/record.ts"
export * from "./plugin/services.ts"
export * from "./plugin/sink.ts"
export * from "./plugin/source.ts"
