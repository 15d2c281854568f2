/** `sluice check` of a test file: what is wrong with it, without running it. Loaded only for one. */
import { planTests } from "@sluice/core"
import * as Effect from "effect/Effect"
import { pairOf, readPair } from "../mappingTests/findTests.ts"
import { layer as pluginsLayer } from "../node/plugins.ts"

export const checkTests = Effect.fnUntraced(function* (file: string) {
  const input = yield* readPair(yield* pairOf(file))
  const { tests, warnings } = yield* planTests(input)
  return { tests: tests.length, problems: warnings }
}, Effect.provide(pluginsLayer))
