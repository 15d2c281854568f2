/** Exports keep what the engine relies on in every source. */
import { assert, describe, it } from "@effect/vitest"
import { sourceConformance } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import { byExport } from "./conformance.ts"

describe("users by an export", () => {
  for (const { title, effect } of sourceConformance(byExport)) {
    it(title, async () => assert.isUndefined(await Effect.runPromise(effect)))
  }
})
