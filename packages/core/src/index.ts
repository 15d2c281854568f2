/** The public surface of core: contracts for plugins, and check, preview and run as functions. */

export { describe } from "./plugin/describe.ts"
export * from "./plugin/errors.ts"
export { type DroppedField, type Effected, Outcome } from "./plugin/outcome.ts"
export * from "./plugin/record.ts"
export * from "./plugin/services.ts"
export * from "./plugin/sink.ts"
export * from "./plugin/source.ts"
