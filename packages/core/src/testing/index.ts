/** Conformance suites for plugin authors. They need no test runner of a kind: each case is an effect. */

export { type Destination, type JsonAnswer, type JsonRequest, jsonClient } from "./destination.ts"
export {
  type ConformanceCase,
  ConformanceError,
  type SinkConformance,
  sinkConformance,
} from "./sinkConformance.ts"
