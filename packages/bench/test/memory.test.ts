/** `pnpm bench:million` in small: memory does not grow with the users. */
import { assert, describe, it } from "@effect/vitest"
import { type LaneName, laneNames, peakOf, runLane, wrongCounts } from "../src/million/lanes.ts"

/**
 * So small that no garbage piles up: it would hide what is kept of each user. A job's body and answers need more. Bulk
 * does with 64 here; an upload, or an engine, that holds the rows of its job dies at 72.
 */
const heapMib: { readonly [lane in LaneName]: number } = { memory: 64, job: 128, bulk: 72 }

/** Full batches from the start: a job of Brevo's import takes 16,000 rows. One of Bulk takes 100,000, and is streamed. */
const few: { readonly [lane in LaneName]: number } = { memory: 10_000, job: 16_000, bulk: 3_000 }

describe("rule 12: memory is bounded by page and batch, not by the number of records", () => {
  it.each<LaneName>(laneNames)(
    "%s lane: 30,000 users take no more than a few, and every one is accounted for",
    async (lane) => {
      const flags = [`--max-old-space-size=${heapMib[lane]}`, "--max-semi-space-size=2"]
      const small = await runLane(lane, few[lane], flags)
      const large = await runLane(lane, 30_000, flags)
      assert.deepStrictEqual(wrongCounts([...small, ...large]), [])
      assert.isAtMost(peakOf(large) / peakOf(small), 1.2)
    },
    240_000,
  )
})
