/** The generated users: the same for one seed, unique where they must be, found without being held. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { defaultUntil } from "../src/options.ts"
import { makeGenerator } from "../src/users/generate.ts"
import { sandboxOf, search } from "./ask.ts"

const generator = (seed: number, users = 5_000, extra = {}) =>
  makeGenerator({ seed, users, until: defaultUntil, importedAtOnce: 0, messy: false, ...extra })

const all = (made: ReturnType<typeof generator>) => Array.from({ length: made.timeline.users }, (_, i) => made.user(i))

describe("generated users", () => {
  it("are the same for the same seed and others for another", () => {
    assert.deepStrictEqual(all(generator(7, 300)), all(generator(7, 300)))
    assert.notDeepEqual(all(generator(7, 300)), all(generator(8, 300)))
  })

  it("give no shipped config a reason to reject: an e-mail each, e-mails, ids and phones unique", () => {
    for (const seed of [1, 2, 99]) {
      const users = all(generator(seed))
      const phones = users.flatMap(({ user_metadata: data }) =>
        typeof data === "object" && data !== null && "phone" in data ? [data.phone] : [],
      )
      assert.strictEqual(new Set(users.map((user) => user.user_id)).size, users.length)
      assert.strictEqual(new Set(users.map((user) => user.email)).size, users.length)
      assert.isAbove(phones.length, 500)
      assert.strictEqual(new Set(phones).size, phones.length)
      assert.isTrue(phones.every((phone) => typeof phone === "string" && /^\+[1-9]\d{7,14}$/.test(phone)))
    }
  })

  it("lack keys as real users do: absent, neither null nor empty", () => {
    const users = all(generator(3))
    const share = (key: string) => users.filter((user) => Object.hasOwn(user, key)).length / users.length
    for (const key of [
      "created_at",
      "updated_at",
      "email",
      "email_verified",
      "identities",
      "name",
      "nickname",
      "picture",
    ]) {
      assert.strictEqual(share(key), 1, key)
    }
    assert.closeTo(share("user_metadata"), 0.22, 0.03)
    assert.closeTo(share("app_metadata"), 0.2, 0.03)
    assert.closeTo(share("blocked"), 0.13, 0.03)
    assert.isFalse(users.some((user) => Object.values(user).includes(null)))
    assert.isTrue(users.some((user) => user.user_id.startsWith("google-oauth2|")))
  })

  it("are found by id without a table", () => {
    const made = generator(5, 3_000)
    for (let index = 0; index < 3_000; index++) assert.strictEqual(made.indexOf(made.userId(index)), index)
    for (const id of ["auth0|000000000000000000000000", "auth0|", "", "google-oauth2|1", "x|y|z"]) {
      assert.isUndefined(made.indexOf(id))
    }
  })

  it("are created in order, with bursts and ties larger than a page", () => {
    const { timeline } = generator(1, 20_000)
    let ties = 0
    let longest = 0
    for (let index = 1, run = 1; index < 20_000; index++) {
      const [before, at] = [timeline.createdAt(index - 1), timeline.createdAt(index)]
      assert.isAtLeast(at, before)
      assert.isAtLeast(timeline.updatedAt(index), at)
      assert.isAtMost(timeline.updatedAt(index), defaultUntil)
      run = at === before ? run + 1 : 1
      ties += at === before ? 1 : 0
      longest = Math.max(longest, run)
    }
    assert.isAbove(ties, 500)
    assert.isAtLeast(longest, 256)
  })

  it("can share one millisecond by the thousand, as after a bulk import", () => {
    const { timeline } = generator(1, 5_000, { importedAtOnce: 1_500 })
    assert.strictEqual(timeline.createdAt(100), timeline.createdAt(1_599))
    assert.isAbove(timeline.createdAt(1_900), timeline.createdAt(100))
  })

  it("are odd on demand: phone-only, shared e-mails, wrong types, a __proto__ key", () => {
    const users = all(generator(1, 3_000, { messy: true }))
    assert.isTrue(users.some((user) => user.user_id.startsWith("sms|") && user.email === undefined))
    const emails = users.flatMap((user) => (user.email === undefined ? [] : [user.email]))
    assert.isBelow(new Set(emails).size, emails.length)
    assert.isTrue(users.some((user) => user.email_verified === "true"))
    assert.isTrue(users.some((user) => JSON.stringify(user).includes('"__proto__":{')))
    assert.strictEqual(new Set(users.map((user) => user.user_id)).size, users.length)
  })

  it.effect("a window in a million of them is found at once and held nowhere", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 1_000_000 })
      const before = process.memoryUsage().heapUsed
      const started = performance.now()
      let from = "2025-06-01T00:00:00.000Z"
      for (let page = 0; page < 50; page++) {
        const { body } = search(sandbox, { q: `created_at:[${from} TO *]`, sort: "created_at:1", per_page: "100" })
        assert.strictEqual(body.length, 100)
        assert.isAbove(body.total, 400_000)
        from = body.users.at(-1).created_at
      }
      // A walk over the users would take seconds and a table of them hundreds of megabytes.
      assert.isBelow(performance.now() - started, 3_000)
      assert.isBelow(process.memoryUsage().heapUsed - before, 100e6)
    }),
  )
})
