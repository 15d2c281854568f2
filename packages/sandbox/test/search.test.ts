/** GET /users: the query language, and arithmetic that must equal a plain filter and sort. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import type { Sandbox } from "../src/index.ts"
import { ask, authorization, sandboxOf, search } from "./ask.ts"

const ids = (users: ReadonlyArray<{ user_id: string }>) => users.map((user) => user.user_id).sort()

const everyMatch = (sandbox: Sandbox, q: string): ReadonlyArray<{ user_id: string }> => {
  const found = []
  for (let page = 0; page < 10; page++) {
    const { body } = search(sandbox, { q, sort: "created_at:1", per_page: "100", page: String(page) })
    found.push(...body.users)
  }
  return found
}

describe("search", () => {
  it.effect("equals a plain filter over all users, whatever changed", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 300 })
      const times = [...sandbox.control.users()].map((user) => String(user.created_at))
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(330), fc.constantFrom("touch", "block", "delete", "late"))),
          fc.nat(299),
          fc.nat(299),
          fc.boolean(),
          fc.boolean(),
          fc.constantFrom("created_at", "updated_at"),
          (changes, a, b, inclusive, residual, sort) => {
            sandbox.control.reset()
            for (const [index, kind] of changes) {
              const user_id = index < 300 ? sandbox.control.userId(index) : `auth0|made${index}`
              if (kind === "delete") sandbox.control.deleteUser(user_id)
              else if (kind === "late") sandbox.control.upsertUser({ user_id, created_at: "2026-10-31T00:00:00.000Z" })
              else sandbox.control.upsertUser({ user_id, blocked: kind === "block" })
            }
            const [from = "", to = ""] = [times[a], times[b]]
            const q = `${sort}:${inclusive ? "[" : "{"}${from} TO ${to}${inclusive ? "]" : "}"}${residual ? " AND blocked:true" : ""}`
            const expected = [...sandbox.control.users()].filter((user) => {
              const at = String(user[sort])
              const inside = inclusive ? at >= from && at <= to : at > from && at < to
              return inside && (!residual || user.blocked === true)
            })
            const { body } = search(sandbox, { q, sort: `${sort}:1`, per_page: "100" })
            assert.strictEqual(body.total, expected.length)
            assert.deepStrictEqual(
              body.users.map((user: { [key: string]: string }) => user[sort]),
              expected
                .map((user) => String(user[sort]))
                .sort()
                .slice(0, 100),
            )
            assert.deepStrictEqual(ids(everyMatch(sandbox, q)), ids(expected))
          },
        ),
        { numRuns: 60 },
      )
    }),
  )

  it.effect("knows values, existence, negation, prefixes, connections, domains and folded case", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 200 })
      const first = sandbox.control.user(sandbox.control.userId(0))
      const total = (q: string) => search(sandbox, { q }).body.total
      const count = (test: (user: { readonly [key: string]: unknown }) => boolean) =>
        [...sandbox.control.users()].filter(test).length
      assert.strictEqual(
        total("email_verified:true"),
        count((user) => user.email_verified === true),
      )
      assert.strictEqual(
        total("NOT _exists_:blocked"),
        count((user) => user.blocked === undefined),
      )
      assert.strictEqual(total(`email:"${String(first?.email).toUpperCase()}"`), 1)
      assert.strictEqual(total(`user_id:${first?.user_id.slice(0, 12)}*`), 1)
      assert.strictEqual(total('email.domain:"example.com"'), 200)
      assert.strictEqual(
        total('identities.connection:"github" OR identities.connection:"google-oauth2"'),
        count((user) => /^(github|google-oauth2)\|/.test(String(user.user_id))),
      )
      assert.strictEqual(
        total("(blocked:true OR blocked:false) AND NOT blocked:true"),
        count((user) => user.blocked === false),
      )
      assert.strictEqual(
        total("_exists_:user_metadata.company"),
        count((user) => JSON.stringify(user).includes('"company"')),
      )
    }),
  )

  it.effect("auth0 trap 10: a range never matches a user without the field, empty metadata is not indexed", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 10 })
      const user_id = sandbox.control.userId(3)
      sandbox.control.upsertUser({ user_id, created_at: null, user_metadata: {} })
      assert.strictEqual(search(sandbox, { q: "created_at:[* TO *]" }).body.total, 9)
      assert.deepStrictEqual(ids(search(sandbox, { q: "NOT _exists_:created_at" }).body.users), [user_id])
      assert.strictEqual(search(sandbox, { q: `user_id:"${user_id}" AND _exists_:user_metadata` }).body.total, 0)
    }),
  )

  it.effect("answers 501 and remembers what it does not model, 400 what the vendor refuses", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      for (const q of ["ada", "a:b c:d", "email:a AND name:b OR name:c", "picture:x", "user_metadata.age:[1 TO 2]"]) {
        assert.strictEqual(search(sandbox, { q }).status, 501, q)
      }
      assert.strictEqual(sandbox.unmodelled.length, 5)
      for (const q of ["(email:a", "email:a AND", "created_at:[2026-01-01]", "name:a*", "email:a)"]) {
        assert.strictEqual(search(sandbox, { q }).status, 400, q)
      }
      assert.strictEqual(search(sandbox, { sort: "user_metadata.x:1" }).status, 400)
      assert.strictEqual(search(sandbox, { q: `email:${"a".repeat(5_000)}` }).status, 414)
      const bare = ask(sandbox, "GET", "/auth0/api/v2/users", {
        query: { q: "email:a" },
        headers: authorization(sandbox),
      })
      assert.strictEqual(bare.status, 400)
      assert.match(bare.body.message, /'q' parameter is available only if/)
    }),
  )
})
