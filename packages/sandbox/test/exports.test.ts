/** The fake export jobs hold to auth0.md §2.1. */
import { gunzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Sandbox } from "../src/index.ts"
import { respond } from "../src/origin.ts"
import { ask, authorization, type Body, sandboxOf } from "./ask.ts"

const path = "/auth0/api/v2/jobs/users-exports"
const fields = (...names: ReadonlyArray<string>) => names.map((name) => ({ name }))

const create = (sandbox: Sandbox, body: object) => ask(sandbox, "POST", path, { body, headers: authorization(sandbox) })
const look = (sandbox: Sandbox, id: string) =>
  ask(sandbox, "GET", `/auth0/api/v2/jobs/${id}`, { headers: authorization(sandbox) })

const get = (sandbox: Sandbox, address: string, headers: { readonly [name: string]: string } = {}) => {
  const { hostname, pathname, searchParams } = new URL(address)
  return respond(sandbox, hostname, { method: "GET", path: pathname, query: searchParams, headers, body: "" }).answer
}

const read = (sandbox: Sandbox, address: string): ReadonlyArray<Body> => {
  const bytes = Buffer.concat([...(get(sandbox, address).chunks ?? [])])
  const lines = gunzipSync(bytes).toString().split("\n")
  assert.strictEqual(lines.pop(), "")
  return lines.map((line) => JSON.parse(line))
}

const exported = Effect.fnUntraced(function* (sandbox: Sandbox, body: object) {
  const { id } = create(sandbox, body).body
  yield* TestClock.adjust("3 seconds")
  return read(sandbox, look(sandbox, id).body.location)
})

describe("export jobs", () => {
  it.effect("are pending, then completed, and a write", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ limits: "real" })
      const made = create(sandbox, { format: "json", fields: fields("user_id") })
      assert.strictEqual(made.status, 200)
      assert.deepInclude(made.body, { type: "users_export", status: "pending", fields: fields("user_id") })
      assert.notProperty(made.body, "limit")
      assert.strictEqual(made.headers["x-ratelimit-limit"], "10")
      assert.strictEqual(sandbox.counters.requests.auth0.writes, 1)
      yield* TestClock.adjust("1 second")
      const pending = look(sandbox, made.body.id).body
      assert.deepInclude(pending, { status: "pending", percentage_done: 33, time_left_seconds: 2 })
      assert.notProperty(pending, "location")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(look(sandbox, made.body.id).body.status, "completed")
      assert.strictEqual(look(sandbox, "job_0000000000000000").status, 404)
    }),
  )

  it.effect("bring exactly the chosen fields, where a user has them, of all users or of a connection's", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ messy: true })
      const all = yield* exported(sandbox, { format: "json", fields: fields("user_id", "app_metadata", "groups") })
      const truth = sandbox.control
        .users()
        .map(({ user_id, app_metadata }) => JSON.parse(JSON.stringify({ user_id, app_metadata })))
      assert.deepStrictEqual(all, [...truth])
      const five = yield* exported(sandbox, { format: "json", limit: 5, fields: fields("user_id") })
      assert.strictEqual(five.length, 5)
      const unknown = { format: "json", connection_id: "con_0000000000000001", fields: fields("user_id") }
      assert.strictEqual((yield* exported(sandbox, unknown)).length, 0)
    }),
  )

  it.effect("show the users as they were while the job ran, whatever search shows", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ indexLagMillis: 1e9 })
      const [gone, renamed, later] = [0, 1, 2].map(sandbox.control.userId)
      const rename = (user_id = "", nickname = "") => sandbox.control.upsertUser({ user_id, nickname })
      sandbox.control.deleteUser(gone ?? "")
      rename(renamed, "before")
      const { id } = create(sandbox, { format: "json", fields: fields("user_id", "nickname") }).body
      yield* TestClock.adjust("3 seconds")
      rename(renamed, "after")
      rename(later, "after")
      const users = read(sandbox, look(sandbox, id).body.location)
      assert.strictEqual(users.length, 49)
      assert.deepStrictEqual(
        users.filter(({ nickname }) => nickname === "before" || nickname === "after"),
        [{ user_id: renamed, nickname: "before" }],
      )
    }),
  )

  it.effect("auth0 trap 18: the address ends after a minute and takes no token; the job has new ones for a day", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const { id } = create(sandbox, { format: "json", fields: fields("user_id") }).body
      yield* TestClock.adjust("3 seconds")
      const { location } = look(sandbox, id).body
      assert.match(
        location,
        /\/user-exports\/job_\w{16}\/sandbox\.json\.gz\?Expires=\d+&Key-Pair-Id=\w+&Signature=\w+$/,
      )
      assert.strictEqual(get(sandbox, location).status, 200)
      const refused = get(sandbox, location, authorization(sandbox))
      assert.strictEqual(refused.status, 400)
      assert.include(refused.body, "Only one auth mechanism allowed")
      assert.strictEqual(get(sandbox, `${location.replace(/Expires=\d+/, "Expires=9999999999")}`).status, 403)
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(get(sandbox, location).status, 403)
      yield* TestClock.adjust("23 hours")
      assert.strictEqual(read(sandbox, look(sandbox, id).body.location).length, 50)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(look(sandbox, id).status, 404)
    }),
  )

  it.effect("refuse what Auth0 refuses, and say what they do not model", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const json = { format: "json", fields: fields("user_id") }
      const wrong = [
        { ...json, q: "x" },
        { ...json, limit: 0 },
        { ...json, connection_id: "x" },
        { ...json, format: "xml" },
      ]
      for (const body of wrong) assert.strictEqual(create(sandbox, body).status, 400)
      assert.deepStrictEqual(sandbox.unmodelled, [])
      const unmodelled = [
        { ...json, format: "csv" },
        { format: "json" },
        { ...json, fields: fields("user_metadata.plan") },
      ]
      for (const body of unmodelled) assert.strictEqual(create(sandbox, body).status, 501)
    }),
  )
})
