/** The fake tenant: tokens, paging, fields, consistency, limits, as auth0.md has them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { ask, authorization, sandboxOf, search, tokenRequest } from "./ask.ts"

describe("POST /oauth/token", () => {
  it.effect("gives a JWT-shaped token with its scope and lifetime, and refuses the rest in OAuth's shape", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ tokenSeconds: 60 })
      const token = (body: object) => ask(sandbox, "POST", "/auth0/oauth/token", { body })
      const good = token(tokenRequest())
      assert.deepStrictEqual(
        { ...good.body, access_token: "…" },
        {
          access_token: "…",
          scope: "read:users",
          expires_in: 60,
          token_type: "Bearer",
        },
      )
      const claims = JSON.parse(atob(String(good.body.access_token.split(".")[1])))
      assert.strictEqual(claims.scope, "read:users")
      assert.strictEqual(token({ ...tokenRequest(), client_secret: "wrong" }).status, 401)
      assert.strictEqual(token({ ...tokenRequest(), audience: "https://other.example.com/api/v2/" }).status, 403)
      assert.strictEqual(token({ ...tokenRequest(), grant_type: "password" }).body.error, "unsupported_grant_type")
    }),
  )

  it.effect("C13: a token ends with its lifetime and when all are revoked", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ tokenSeconds: 60 })
      const headers = authorization(sandbox)
      const status = () => ask(sandbox, "GET", "/auth0/api/v2/users", { headers }).status
      assert.strictEqual(status(), 200)
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual(status(), 401)
      const renewed = authorization(sandbox)
      sandbox.control.expireTokens()
      assert.strictEqual(ask(sandbox, "GET", "/auth0/api/v2/users", { headers: renewed }).status, 401)
    }),
  )

  it.effect("C15: without read:users every read is 403 insufficient_scope", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ scopes: ["read:clients"] })
      const answer = search(sandbox, {})
      assert.strictEqual(answer.status, 403)
      assert.strictEqual(answer.body.errorCode, "insufficient_scope")
    }),
  )
})

describe("GET /users", () => {
  it.effect("auth0 trap 1: refuses page N of P where N*P+P > 1000, however few users there are", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 10 })
      assert.strictEqual(search(sandbox, { per_page: "100", page: "9" }).status, 200)
      const wall = search(sandbox, { per_page: "100", page: "10" })
      assert.strictEqual(wall.status, 400)
      assert.strictEqual(wall.body.errorCode, "invalid_paging")
      assert.strictEqual(search(sandbox, { per_page: "50", page: "20" }).status, 400)
    }),
  )

  it.effect("auth0 trap 2: cuts a page to its own maximum without an error", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 500, maxPerPage: 50 })
      const { body } = search(sandbox, { per_page: "100" })
      assert.strictEqual(body.length, 50)
      assert.strictEqual(body.limit, 50)
      const tooMany = search(sandbox, { per_page: "1000" })
      assert.match(tooMany.body.message, /'Value 1000 is greater than maximum 100' on property per_page/)
    }),
  )

  it.effect("auth0 trap 3: flips between a bare array and an object with totals", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const bare = ask(sandbox, "GET", "/auth0/api/v2/users", { headers: authorization(sandbox) })
      assert.isArray(bare.body)
      assert.deepStrictEqual(Object.keys(search(sandbox, {}).body), ["start", "limit", "length", "users", "total"])
    }),
  )

  it.effect("auth0 trap 8: orders by the last change unless told otherwise", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      sandbox.control.upsertUser({ user_id: sandbox.control.userId(30), logins_count: 5 })
      assert.strictEqual(search(sandbox, {}).body.users[0].user_id, sandbox.control.userId(30))
    }),
  )

  it.effect("takes or leaves out the fields named", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const some = search(sandbox, { fields: "email,user_id,user_metadata" }).body.users[0]
      assert.sameMembers(
        Object.keys(some).filter((key) => key !== "user_metadata"),
        ["email", "user_id"],
      )
      const others = search(sandbox, { fields: "email", include_fields: "false" }).body.users[0]
      assert.notProperty(others, "email")
      assert.property(others, "user_id")
    }),
  )

  it.effect("auth0 trap 7: search lags behind, reading by id and by e-mail does not", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ indexLagMillis: 30_000 })
      const user_id = sandbox.control.userId(4)
      const headers = authorization(sandbox)
      sandbox.control.upsertUser({ user_id, email: "moved@example.com" })
      sandbox.control.deleteUser(sandbox.control.userId(5))
      const found = () => search(sandbox, { q: 'email:"moved@example.com"' }).body.total
      assert.strictEqual(found(), 0)
      assert.strictEqual(search(sandbox, {}).body.total, 50)
      const byId = ask(sandbox, "GET", `/auth0/api/v2/users/${encodeURIComponent(user_id)}`, { headers })
      assert.strictEqual(byId.body.email, "moved@example.com")
      const byEmail = ask(sandbox, "GET", "/auth0/api/v2/users-by-email", {
        headers,
        query: { email: "moved@example.com" },
      })
      assert.deepStrictEqual(byEmail.body, [byId.body])
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(found(), 1)
      assert.strictEqual(search(sandbox, {}).body.total, 49)
    }),
  )

  it.effect("auth0 trap 12: an e-mail is an array of users and compared with its case", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const headers = authorization(sandbox)
      const by = (email: string) =>
        ask(sandbox, "GET", "/auth0/api/v2/users-by-email", { headers, query: { email } }).body
      const email = String(sandbox.control.user(sandbox.control.userId(9))?.email)
      sandbox.control.upsertUser({ user_id: "google-oauth2|100000000000000000001", email })
      assert.strictEqual(by(email).length, 2)
      assert.deepStrictEqual(by(email.toUpperCase()), [])
    }),
  )

  it.effect("auth0 trap 13: a user that is not there is 404 inexistent_user", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const answer = ask(sandbox, "GET", "/auth0/api/v2/users/auth0%7Cnobody", { headers: authorization(sandbox) })
      assert.deepStrictEqual(answer.body, {
        statusCode: 404,
        error: "Not Found",
        message: "The user does not exist.",
        errorCode: "inexistent_user",
      })
    }),
  )

  it.effect("users change while they are read, the same way for the same seed", () =>
    Effect.gen(function* () {
      const run = Effect.gen(function* () {
        const sandbox = yield* sandboxOf({ users: 200, seed: 5 })
        sandbox.control.changes({ every: 1, count: 5 })
        for (let page = 0; page < 4; page++) search(sandbox, { page: String(page) })
        return [...sandbox.control.users()]
      })
      const [first, second, unread] = [yield* run, yield* run, yield* sandboxOf({ users: 200, seed: 5 })]
      assert.deepStrictEqual(first, second)
      assert.notDeepEqual(first, [...unread.control.users()])
    }),
  )
})

describe("Auth0's limits", () => {
  it.effect("auth0 trap 21: the reset is one refill, in epoch seconds, not a full bucket", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_800_000_000_000)
      const sandbox = yield* sandboxOf({ limits: "real", auth0Plan: "free" })
      const headers = authorization(sandbox)
      const get = () => ask(sandbox, "GET", "/auth0/api/v2/users", { headers })
      assert.strictEqual(get().headers["x-ratelimit-limit"], "2")
      assert.strictEqual(get().headers["x-ratelimit-remaining"], "0")
      const refused = get()
      assert.strictEqual(refused.status, 429)
      assert.strictEqual(refused.headers["x-ratelimit-reset"], "1800000001")
      assert.notProperty(refused.headers, "retry-after")
      assert.strictEqual(refused.body.errorCode, "too_many_requests")
      yield* TestClock.adjust("500 millis")
      assert.deepStrictEqual([get().status, get().status], [200, 429])
    }),
  )

  it.effect("high is a hundredfold, off says a million", () =>
    Effect.gen(function* () {
      const high = search(yield* sandboxOf({ limits: "high" }), {})
      assert.strictEqual(high.headers["x-ratelimit-limit"], "4000")
      const off = search(yield* sandboxOf({ limits: "off" }), {})
      assert.strictEqual(off.headers["x-ratelimit-limit"], "1000000")
    }),
  )
})
