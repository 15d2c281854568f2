/** "Did you mean": near enough, and never far-fetched. */
import { assert, it } from "@effect/vitest"
import { nearest } from "../src/config/suggest.ts"

const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>, string | undefined]> = [
  ["feilds", ["fields", "filters"], "fields"],
  ["nmae", ["name", "sinks"], "name"],
  ["on-delete", ["on_delete", "on_leave"], "on_delete"],
  ["BASEURL", ["base_url", "share"], "base_url"],
  ["contact", ["contacts", "companies"], "contacts"],
  ["a", ["b", "ab"], "b"],
  ["lists", ["lists"], undefined],
  ["webhook", ["brevo", "auth0"], undefined],
  ["x".repeat(101), ["x".repeat(100)], undefined],
]
for (const [name, candidates, expected] of cases) {
  it(`${name.slice(0, 20)} suggests ${expected ?? "nothing"}`, () =>
    assert.strictEqual(nearest(name, candidates), expected))
}
