/** Tags of accounts: calls of their own beside the write. */
import { assert, describe, it } from "@effect/vitest"
import type { Outcome } from "@sluice/core"
import * as Effect from "effect/Effect"
import { account, error, found, known, persona, row, services, when, write } from "./vendor.ts"

const delivered = (effect: "created" | "updated" | "unchanged"): ReadonlyArray<Outcome> => [
  { _tag: "Delivered", id: "auth0|1", effect, remoteId: "act_1" },
]

describe("tags", () => {
  const held = account("act_1", { tags: ["by hand", "old"] })
  const tagged = (...tags: ReadonlyArray<string>) => row({ tags })
  const done = (action: string) => when(`POST /accounts/act_1/${action}`, 200, { data: held })

  it.effect("persona trap 4: are added one by one, and others stay", () =>
    Effect.gen(function* () {
      const sent = persona(known, found(held), done("add-tag"))
      assert.deepStrictEqual(yield* write([tagged("old", "new")]), delivered("updated"))
      assert.deepStrictEqual(sent[2]?.body, { meta: { "tag-name": "new" } })
    }).pipe(services),
  )

  it.effect("persona trap 4: are removed, or replaced, only where the route says so", () =>
    Effect.gen(function* () {
      const removed = persona(known, found(held), done("remove-tag"))
      yield* write([tagged("old", "new")], { options: { tags: "remove" } })
      assert.deepStrictEqual(removed[2]?.body, { meta: { "tag-name": "old" } })
      const set = persona(known, found(held), done("set-tags"))
      yield* write([tagged("new")], { options: { tags: "set" } })
      assert.deepStrictEqual(set[2]?.body, { meta: { "tag-name": ["new"] } })
      persona(known, found(held))
      assert.deepStrictEqual(
        yield* write([tagged("old", "by hand")], { options: { tags: "set" } }),
        delivered("unchanged"),
      )
    }).pipe(services),
  )

  it.effect("are taken off by what the look told, where the answer to the write does not tell them", () =>
    Effect.gen(function* () {
      const attributes = { "reference-id": "auth0|1", "redacted-at": null, "name-first": "Ada" }
      const updated = when("PATCH /accounts/act_1", 200, { data: { id: "act_1", attributes } })
      persona(known, found(held), updated, done("remove-tag"))
      const both = row({ name_first: "Ada", tags: ["old"] })
      assert.deepStrictEqual(yield* write([both], { options: { tags: "remove" } }), delivered("updated"))
    }).pipe(services),
  )

  it.effect("that Persona refuses are reported with the row that was written without them", () =>
    Effect.gen(function* () {
      const updated = when("PATCH /accounts/act_1", 200, { data: account("act_1", { "name-first": "Ada" }) })
      const no = when("POST /accounts/act_1/add-tag", 422, error("Record invalid"))
      persona(known, found(held), updated, no)
      const [outcome] = yield* write([row({ name_first: "Ada", tags: ["new"] })])
      assert.deepInclude(outcome, { _tag: "Delivered", effect: "updated" })
      assert.deepStrictEqual(outcome?._tag === "Delivered" ? outcome.dropped?.map(({ field }) => field) : [], ["tags"])
      persona(known, found(held), no)
      assert.deepInclude((yield* write([tagged("new")]))[0], { _tag: "Rejected", code: "http_422" })
    }).pipe(services),
  )
})
