/** The public surface of core: contracts for plugins, and check, preview and run as functions. */

export { type SecretFile, SecretFileError } from "./config/interpolate.ts"
export { draft, nodeOf } from "./config/jsonNodes.ts"
export { jsonSchema, type NamedPlugin } from "./config/jsonSchema.ts"
export { type Key, keysOf, keysOfNode } from "./config/keys.ts"
export { type PluginModule, PluginNotFound, Plugins } from "./config/plugins.ts"
export { ConfigError, type Path, type Problem, printProblem } from "./config/problem.ts"
export { isPlaceholder, PLACEHOLDER, sampleOf } from "./config/sample.ts"
export { type Expected, testJsonSchema } from "./config/testSchema.ts"
export { parseYaml } from "./config/yaml.ts"
export { type CheckFinding, type CheckReport, checkConnected } from "./engine/check/check.ts"
export { firstRecords } from "./engine/check/firstRecords.ts"
export { liveFields } from "./engine/check/liveFields.ts"
export { ConnectionError } from "./engine/connect.ts"
export {
  type DeadLetterFilter,
  dropDeadLetters,
  listDeadLetters,
  retryDeadLetters,
  type ShownDeadLetter,
  showDeadLetter,
} from "./engine/deadLetters.ts"
export { listRuns, type PipelineState, resetState, showRun, showState } from "./engine/history.ts"
export { checkLocked, type LockedInput } from "./engine/lock/checkLocked.ts"
export { type LockChange, lockChanges } from "./engine/lock/drift.ts"
export { liveLock } from "./engine/lock/liveLock.ts"
export { parseLock, printLock, type SchemaLock } from "./engine/lock/schemaLock.ts"
export type { Pipeline, Route } from "./engine/pipeline.ts"
export { type Plan, type PlanInput, plan } from "./engine/plan/plan.ts"
export { mask, maskKey } from "./engine/preview/mask.ts"
export { type PreviewOptions, preview } from "./engine/preview/preview.ts"
export * from "./engine/preview/previewReport.ts"
export * from "./engine/report.ts"
export type { RunOptions, RunServices } from "./engine/run/options.ts"
export { run } from "./engine/run/run.ts"
export { planTests, type TestInput } from "./engine/test/testFile.ts"
export { testMappings } from "./engine/test/testMappings.ts"
export * from "./engine/test/testReport.ts"
export type { Answer, Api, ApiOptions, Call, CallReason, LimitState, RateLimit, Verdict } from "./http/api.ts"
export { parseJson } from "./http/body.ts"
export { verdictByStatus } from "./http/byStatus.ts"
export { makeApi } from "./http/call.ts"
export {
  CurrentGunzip,
  type Download,
  type Downloads,
  gunzip,
  type LinkDenied,
  makeDownloads,
} from "./http/download.ts"
export { type AssertionKey, type Claims, type JwtAlgorithm, makeSign, type Sign } from "./http/jwt.ts"
export { CurrentLimiters, type Limiters, makeLimiters } from "./http/limiter.ts"
export { CurrentMeter, type Meter, makeMeter } from "./http/meter.ts"
export { monotonicMillis } from "./http/monotonic.ts"
export { type Attempt, CurrentAttempt, CurrentWaiting, type Wait } from "./http/watch.ts"
export { describe } from "./plugin/describe.ts"
export * from "./plugin/errors.ts"
export { retryAfterMillis } from "./plugin/headers.ts"
export { type DroppedField, type Effected, Outcome } from "./plugin/outcome.ts"
export * from "./plugin/record.ts"
export * from "./plugin/services.ts"
export { type SimpleSink, Sink, type Target } from "./plugin/simple.ts"
export * from "./plugin/sink.ts"
export * from "./plugin/source.ts"
export { type Transmission, transmission } from "./plugin/transmission.ts"
export { Cipher, checkKey, layerPlain, plainText, Unsealable } from "./state/cipher.ts"
export type { ListedDeadLetter } from "./state/deadLetters.ts"
export { Digest } from "./state/digest.ts"
export { Fenced, StateError } from "./state/errors.ts"
export { LockHeld, RunLock } from "./state/lock.ts"
export { type Migrations, migrate, StateTooNew } from "./state/migrations.ts"
export { makePluginState, pluginStateLayer } from "./state/pluginState.ts"
export type { StoredRun } from "./state/runs.ts"
export { migrations } from "./state/schema.ts"
