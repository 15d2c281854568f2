/** Idempotency keys: the same after silence, another after an answer, never one for two bodies. */
import { assert, describe, it } from "@effect/vitest"
import type { Outcome } from "@sluice/core"
import * as Effect from "effect/Effect"
import {
  account,
  error,
  found,
  known,
  onMovingClock,
  open,
  persona,
  row,
  services,
  silence,
  when,
  write,
} from "./vendor.ts"

const created = () => when("POST /accounts", 201, { data: account("act_1", { "name-first": "Ada" }) })

const delivered = (effect: "created" | "updated" | "unchanged"): ReadonlyArray<Outcome> => [
  { _tag: "Delivered", id: "auth0|1", effect, remoteId: "act_1" },
]

const codes = (outcomes: ReadonlyArray<Outcome>) =>
  outcomes.map((outcome) => (outcome._tag === "Rejected" ? outcome.code : outcome._tag))

describe("idempotency keys", () => {
  const keysOf = (sent: ReturnType<typeof persona>) =>
    sent.filter(({ call }) => call === "POST /accounts").map(({ headers }) => headers["idempotency-key"])

  it.effect("persona trap 5, D08: a received failure is kept for its key, so the next attempt has a new one", () =>
    Effect.gen(function* () {
      const sent = persona(known, found(), when("POST /accounts", 500, error("Internal Server Error")), created())
      assert.deepStrictEqual(yield* onMovingClock(write([row({ name_first: "Ada" })])), delivered("created"))
      const [first, second] = keysOf(sent)
      assert.isDefined(first)
      assert.notStrictEqual(first, second)
    }).pipe(services),
  )

  it.effect("persona trap 5, D08: after silence the same request goes again with the same key", () =>
    Effect.gen(function* () {
      const attempt = (id: string) => ({ id, attempt: 1 })
      const first = persona(known, found(), created())
      yield* write([row({ name_first: "Ada" })], {}, attempt("batch-7"))
      const again = persona(known, found(), silence("POST /accounts"), created())
      yield* onMovingClock(write([row({ name_first: "Ada" })], {}, attempt("batch-7")))
      const later = persona(known, found(), created())
      yield* write([row({ name_first: "Ada" })], {}, attempt("batch-8"))
      assert.deepStrictEqual(keysOf(again), keysOf(first))
      assert.notDeepEqual(keysOf(later), keysOf(first))
    }).pipe(services),
  )

  it.effect("persona trap 5: name nobody, and differ between rows and attempts", () =>
    Effect.gen(function* () {
      const sent = persona(known, found(), created(), created())
      // Ids that hashes of 32 bits take for one.
      const rows = ["u85sy", "u8kmy"].map((id) => row({ name_first: "Ada" }, { id, key: id }))
      yield* write(rows, {}, { id: "batch-1", attempt: 2 })
      const keys = keysOf(sent)
      assert.strictEqual(new Set(keys).size, 2)
      for (const key of keys) assert.match(key ?? "", /^batch-1-2-[01]-0-0$/)
    }).pipe(services),
  )

  it.effect("persona trap 6: a stale object is tried again, at most five times, and then waits", () =>
    Effect.gen(function* () {
      const stale = when("PATCH /accounts/act_1", 409, error("Stale object error", "Please try again"))
      persona(known, found(account("act_1")), stale, stale, stale, stale, stale)
      assert.deepStrictEqual(codes(yield* onMovingClock(write([row({ name_first: "Ada" })]))), ["Deferred"])
    }).pipe(services),
  )

  it.effect(
    "persona trap 5, D08: a batch that the engine sends again asks with none of the keys that had an answer",
    () =>
      Effect.gen(function* () {
        const failed = when("POST /accounts", 500, error("Internal Server Error"))
        const writer = yield* open()
        const batch = { id: "batch-1", attempt: 1, rows: [row({ name_first: "Ada" })] }
        const first = persona(known, found(), failed, failed, failed, failed, failed)
        const outage = yield* Effect.flip(onMovingClock(writer.write(batch)))
        assert.deepInclude(outage.reason, { _tag: "Unavailable", inDoubt: true })
        const second = persona(found(), created())
        assert.deepStrictEqual(yield* writer.write(batch), delivered("created"))
        assert.strictEqual(new Set([...keysOf(first), ...keysOf(second)]).size, 6)
      }).pipe(services),
  )

  it.effect("persona trap 5, D08: a row that is left of a batch keeps the key that nobody answered", () =>
    Effect.gen(function* () {
      const writer = yield* open()
      const rows = ["a", "b"].map((id) => row({ name_first: "Ada" }, { id, key: id }))
      const lost = silence("POST /accounts")
      const first = persona(known, found(), created(), lost, lost, lost, lost, lost)
      const { settled, reason } = yield* Effect.flip(onMovingClock(writer.write({ id: "batch-1", attempt: 1, rows })))
      assert.deepInclude(reason, { _tag: "Unavailable", inDoubt: true })
      const left = rows.filter(({ id }) => settled?.every((outcome) => outcome.id !== id))
      assert.lengthOf(left, 1)
      const second = persona(found(), created())
      yield* writer.write({ id: "batch-1", attempt: 1, rows: left })
      assert.deepStrictEqual([...keysOf(first), ...keysOf(second)].toSorted(), ["batch-1-1-0-0-0", "batch-1-1-1-0-0"])
    }).pipe(services),
  )
})
