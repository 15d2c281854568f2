/** `pnpm bench:million` in small: memory does not grow with the users. */
import { assert, describe, it } from "@effect/vitest"
import { peakOf, runLane, wrongCounts } from "../src/million/lanes.ts"

/** Small enough that garbage does not pile up at either size. */
const HEAP_MIB = 96

describe("rule 12: memory is bounded by page and batch, not by the number of records", () => {
  it("of the memory lane: 30,000 users take no more than 10,000, and every one is accounted for", async () => {
    const few = await runLane("memory", 10_000, HEAP_MIB)
    const many = await runLane("memory", 30_000, HEAP_MIB)
    assert.deepStrictEqual(wrongCounts([...few, ...many]), [])
    assert.isAtMost(peakOf(many) / peakOf(few), 1.2)
  }, 120_000)
})
