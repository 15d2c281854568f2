/** Exports keep what the engine relies on in every source. */
import { gunzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { CurrentGunzip } from "@sluice/core"
import { sourceConformance } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import { byExport } from "./conformance.ts"

/** At once and on this thread: the cases' clock passes a day while another thread waits for its turn. */
const atOnce = () => {
  const chunks: Array<Uint8Array> = []
  return new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk) => void chunks.push(chunk),
    flush: (controller) => controller.enqueue(gunzipSync(Buffer.concat(chunks))),
  })
}

describe("users by an export", () => {
  for (const { title, effect } of sourceConformance(byExport)) {
    it(title, async () => {
      const verdict = await Effect.runPromise(Effect.provideService(effect, CurrentGunzip, atOnce))
      assert.isUndefined(verdict)
    })
  }
})
