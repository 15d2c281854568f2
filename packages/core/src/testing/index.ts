/** Conformance suites for plugin authors. They need no test runner of a kind: each case is an effect. */

export { type ConformanceCase, ConformanceError } from "./case.ts"
export { type Destination, type JsonAnswer, type JsonRequest, jsonClient, type Origin } from "./destination.ts"
export type { SinkConformance } from "./sinkBench.ts"
export { sinkConformance } from "./sinkConformance.ts"
export type { State } from "./sinkPipelineBench.ts"
export { sinkPipelineConformance } from "./sinkPipelineConformance.ts"
export type { SourceConformance } from "./sourceBench.ts"
export { sourceConformance } from "./sourceConformance.ts"
export { sourcePipelineConformance } from "./sourcePipelineConformance.ts"
