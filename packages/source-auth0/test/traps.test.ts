/** What a naive extractor gets silently wrong (auth0.md §9), each on a tenant that behaves that way. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { makeTenant, openReader, readAll, request, type TestUser, time, userOptions } from "./tenant.ts"

/** No waits between attempts. */
const TestRandom = Effect.provideService(Random.Random, { nextDoubleUnsafe: () => 0, nextIntUnsafe: () => 0 })

const user = (nth: number, at: number, rest: Partial<TestUser> = {}): TestUser => ({
  user_id: `auth0|${String(nth).padStart(6, "0")}`,
  created_at: time(at),
  updated_at: time(at),
  email: `${nth}@example.com`,
  identities: [{ provider: "auth0", connection: "Users", user_id: nth }],
  ...rest,
})

const spread = (count: number) => Array.from({ length: count }, (_, nth) => user(nth, nth))

const ids = (users: ReadonlyArray<TestUser>) => users.map(({ user_id }) => user_id).sort()

describe("traps", () => {
  it.effect("auth0 trap 1: 5,000 users arrive through the wall of 1,000 in 52 calls, always from page 0", () =>
    Effect.gen(function* () {
      const users = spread(5000)
      const { tenant, client } = makeTenant({ users })
      const { keys, completeness } = yield* readAll(client)
      assert.deepStrictEqual([...keys].sort(), ids(users))
      assert.isTrue(tenant.queries.every((query) => query.get("page") === "0"))
      assert.isAtMost(tenant.queries.length, 52)
      assert.deepInclude(completeness, { expected: 5000, delivered: 5000, gap: undefined })
    }),
  )

  it.effect("auth0 trap 1: 1,500 users of one millisecond arrive by pages and parts below the wall", () =>
    Effect.gen(function* () {
      const users = Array.from({ length: 1500 }, (_, nth) =>
        user(nth, 0, { identities: [{ connection: nth < 300 ? "a" : "b" }] }),
      )
      const { client } = makeTenant({ users: [...users, user(9999, 5)] })
      const { keys, completeness } = yield* readAll(client)
      assert.strictEqual(new Set(keys).size, 1501)
      assert.strictEqual(completeness?.facts.ties, 1)
      assert.isAbove(completeness?.facts.partitions ?? 0, 2)
    }),
  )

  it.effect("auth0 trap 1: parts that were only needed to divide do not add fields to records", () =>
    Effect.gen(function* () {
      const { client } = makeTenant({ users: Array.from({ length: 1100 }, (_, nth) => user(nth, 0)) })
      const { records } = yield* readAll(client)
      assert.isTrue(records.every(({ data }) => !("identities" in data)))
    }),
  )

  it.effect("auth0 trap 2: pages that are cut to 50, or come short of their limit, are not taken for the last", () =>
    Effect.gen(function* () {
      const users = spread(340)
      const clamped = yield* readAll(makeTenant({ users, clamp: 50 }).client)
      assert.strictEqual(clamped.keys.length, 340)
      const short = makeTenant({ users, answer: (body) => ({ ...body, users: body.users.slice(0, 37) }) })
      assert.strictEqual((yield* readAll(short.client)).keys.length, 340)
    }),
  )

  it.effect("auth0 trap 2: ties on short pages are not taken for the last either", () =>
    Effect.gen(function* () {
      const users = [...Array.from({ length: 60 }, (_, nth) => user(nth, 0)), ...spread(200).slice(60)]
      const short = makeTenant({
        users,
        clamp: 50,
        answer: (body, query) => ({ ...body, users: query.get("page") === "0" ? body.users.slice(0, 50) : body.users }),
      })
      assert.strictEqual((yield* readAll(short.client)).keys.length, 200)
    }),
  )

  it.effect("auth0 trap 3: a bare array where an object was asked for is an error, not an empty tenant", () =>
    Effect.gen(function* () {
      const { client } = makeTenant({ users: spread(3), answer: (body) => body.users })
      const error = yield* Effect.flip(
        openReader(client).pipe(
          Effect.flatMap((reader) => Stream.runDrain(reader.read(request()))),
          Effect.scoped,
          TestRandom,
        ),
      )
      assert.strictEqual(error.reason._tag, "Protocol")
    }),
  )

  it.effect("auth0 trap 4: a total that counts the page only ends no scan", () =>
    Effect.gen(function* () {
      const { client } = makeTenant({ users: spread(450), answer: (body) => ({ ...body, total: body.users.length }) })
      assert.strictEqual((yield* readAll(client)).keys.length, 450)
    }),
  )

  it.effect("auth0 trap 4: without a total a scan reads on until nothing comes", () =>
    Effect.gen(function* () {
      const { client } = makeTenant({ users: spread(250), answer: ({ total: _, ...body }) => body })
      assert.strictEqual((yield* readAll(client)).keys.length, 250)
    }),
  )

  it.effect("auth0 trap 4: a total capped at 1,000 is reported as unknown", () =>
    Effect.gen(function* () {
      const { client } = makeTenant({
        users: spread(1200),
        answer: (body) => ({ ...body, total: Math.min(1000, body.total) }),
      })
      const { keys, completeness } = yield* readAll(client, { options: userOptions({ read: "search" }) })
      assert.strictEqual(keys.length, 1200)
      assert.deepInclude(completeness, { expected: undefined, delivered: 1200, gap: undefined })
    }),
  )

  it.effect("auth0 trap 6: an incremental run brings who logged in, with a version that orders them", () =>
    Effect.gen(function* () {
      const { tenant, client } = makeTenant({ users: spread(50) })
      const first = yield* readAll(client, { sync: "incremental" })
      tenant.put(user(7, 7, { updated_at: time(9_000_000), last_login: time(9_000_000) }))
      const second = yield* readAll(client, { sync: "incremental", from: Option.fromUndefinedOr(first.last) })
      const [changed] = second.records.filter(({ version }) => version === time(9_000_000))
      assert.strictEqual(changed?.key, "auth0|000007")
      assert.isAbove(changed?.version?.localeCompare(first.records[7]?.version ?? "") ?? 0, 0)
    }),
  )

  it.effect(
    "auth0 trap 7: users of the watermark's own millisecond, and those indexed late, come in the next run",
    () =>
      Effect.gen(function* () {
        const { tenant, client } = makeTenant({ users: [user(1, 0, { updated_at: time(3_600_000) })] })
        const first = yield* readAll(client, { sync: "incremental" })
        tenant.put(user(2, 0, { updated_at: time(3_600_000) }))
        tenant.put(user(3, 0, { updated_at: time(3_600_000 - 600_000) }))
        tenant.put(user(4, 0, { updated_at: time(3_600_000 - 600_001) }))
        const second = yield* readAll(client, { sync: "incremental", from: Option.fromUndefinedOr(first.last) })
        assert.deepStrictEqual([...second.keys].sort(), ["auth0|000001", "auth0|000002", "auth0|000003"])
      }),
  )

  it.effect(
    "auth0 trap 8: a user who logs in between two pages moves ahead and is read there, and nobody is skipped",
    () =>
      Effect.gen(function* () {
        const { client } = makeTenant({
          users: spread(400),
          onSearch: (all, nth) => {
            const moving = all.users.get(`auth0|${String(nth * 3).padStart(6, "0")}`)
            if (moving !== undefined) all.put({ ...moving, updated_at: time(5_000_000 + nth) })
          },
        })
        const since = Option.some(time(0))
        const { keys } = yield* readAll(client, { sync: "incremental", since })
        assert.strictEqual(new Set(keys).size, 400)
      }),
  )

  it.effect("auth0 trap 9: without a position every scan begins at the beginning, so dormant users arrive", () =>
    Effect.gen(function* () {
      const old = "2009-03-01T00:00:00.000Z"
      const { client } = makeTenant({ users: [user(1, 0), user(2, 0, { created_at: old, updated_at: old })] })
      for (const sync of ["full", "incremental"] as const) {
        assert.deepStrictEqual([...(yield* readAll(client, { sync })).keys].sort(), ["auth0|000001", "auth0|000002"])
      }
    }),
  )

  it.effect("auth0 trap 10: users without created_at or updated_at are swept up, however many", () =>
    Effect.gen(function* () {
      const timeless = Array.from({ length: 1200 }, (_, nth): TestUser => ({ user_id: `auth0|x${nth}` }))
      const { client } = makeTenant({ users: [...spread(20), ...timeless] })
      const full = yield* readAll(client)
      assert.strictEqual(new Set(full.keys).size, 1220)
      assert.strictEqual(full.completeness?.facts.swept, 1200)
      const since = Option.some(time(10))
      const changes = yield* readAll(client, { sync: "incremental", since })
      assert.strictEqual(new Set(changes.keys).size, 1210)
    }),
  )

  it.effect("auth0 trap 12: users who share an e-mail are as many records, with user_id as their key", () =>
    Effect.gen(function* () {
      const twins = [user(1, 0, { email: "same@example.com" }), user(2, 0, { email: "same@example.com" })]
      const { keys } = yield* readAll(makeTenant({ users: twins }).client)
      assert.deepStrictEqual(keys, ["auth0|000001", "auth0|000002"])
    }),
  )

  it.effect("auth0 trap 13, 14: what is absent stays absent, and no e-mail is needed", () =>
    Effect.gen(function* () {
      const phone = { user_id: "sms|1", created_at: time(0), updated_at: time(0), phone_number: "+4900000000" }
      const { records } = yield* readAll(makeTenant({ users: [phone] }).client, { fields: "all" })
      assert.deepStrictEqual(records[0]?.data, phone)
      const blocked = yield* readAll(makeTenant({ users: [phone, user(1, 1, { blocked: true })] }).client, {
        options: userOptions({ active_only: true }),
      })
      assert.deepStrictEqual(blocked.keys, ["sms|1"])
    }),
  )

  it.effect("auth0 trap 15: identities keep their ids as they are, whole numbers and text", () =>
    Effect.gen(function* () {
      const identities = [{ user_id: 42 }, { user_id: "42" }]
      const { client } = makeTenant({ users: [user(1, 0, { identities })] })
      const { records } = yield* readAll(client, { fields: ["identities"] })
      assert.deepStrictEqual(records[0]?.data.identities, identities)
    }),
  )

  it.effect("auth0 trap 22: search writes nothing, so every call may be repeated", () =>
    Effect.gen(function* () {
      const { tenant, client } = makeTenant({ users: spread(150) })
      yield* readAll(client)
      assert.isTrue(tenant.paths.every((path) => path === "/api/v2/users"))
      assert.deepStrictEqual([...tenant.methods], ["GET"])
    }),
  )

  it.effect("auth0 trap 25: a profile near search's bound of 1 MB is read whole by its id", () =>
    Effect.gen(function* () {
      // 1.2 MB in 400,000 characters.
      const large = user(1, 1, { user_metadata: { notes: "漢".repeat(400_000) } })
      const { tenant, client } = makeTenant({
        users: [user(0, 0), large, user(2, 2)],
        answer: (body) => ({
          ...body,
          users: body.users.map((each) =>
            each === large ? { ...each, user_metadata: { notes: "漢".repeat(333_000) } } : each,
          ),
        }),
      })
      const { records, completeness } = yield* readAll(client, { fields: ["user_metadata"] })
      assert.deepStrictEqual(records[1]?.data.user_metadata, large.user_metadata)
      assert.strictEqual(records.length, 3)
      assert.strictEqual(completeness?.facts.reread, 1)
      assert.deepStrictEqual(
        tenant.paths.filter((path) => path !== "/api/v2/users"),
        ["/api/v2/users/auth0|000001"],
      )
    }),
  )
})

describe("answers that would lose users without a word", () => {
  const broken = (answer: (users: ReadonlyArray<TestUser>) => ReadonlyArray<unknown>, users = spread(250)) => {
    const { client } = makeTenant({ users, answer: (body) => ({ ...body, users: answer(body.users) }) })
    return openReader(client).pipe(
      Effect.flatMap((reader) => Stream.runDrain(reader.read(request()))),
      Effect.scoped,
      TestRandom,
      Effect.flip,
      Effect.map(({ reason }) => reason._tag),
    )
  }

  it.effect("a page that is not sorted, ignores its bound, or lacks the time it was found by is an error", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* broken((users) => users.toReversed()), "Protocol")
      const all = spread(250)
      assert.strictEqual(yield* broken(() => all.slice(0, 100)), "Protocol")
      assert.strictEqual(yield* broken((users) => users.map(({ created_at: _, ...rest }) => rest)), "Protocol")
      assert.strictEqual(yield* broken((users) => users.map(({ user_id: _, ...rest }) => rest)), "Protocol")
    }),
  )

  it.effect("fewer users than search counts are reported as a gap", () =>
    Effect.gen(function* () {
      const { client } = makeTenant({
        users: spread(30),
        answer: (body) => ({ ...body, users: body.users.filter(({ user_id }) => user_id !== "auth0|000005") }),
      })
      const { completeness } = yield* readAll(client)
      assert.include(completeness?.gap, "30")
    }),
  )

  it.effect("after a gap an incremental run starts where the one with the gap did", () =>
    Effect.gen(function* () {
      const changedAt = (nth: number) => (nth === 29 ? 90_000_000 : nth * 1000)
      const users = Array.from({ length: 30 }, (_, nth) => user(nth, nth, { updated_at: time(changedAt(nth)) }))
      for (const since of [Option.none(), Option.some(time(3000))]) {
        let hidden: string | undefined = "auth0|000005"
        const { client } = makeTenant({
          users,
          answer: (body) => ({ ...body, users: body.users.filter(({ user_id }) => user_id !== hidden) }),
        })
        const first = yield* readAll(client, { sync: "incremental", since })
        assert.isDefined(first.completeness?.gap)
        hidden = undefined
        const from = Option.fromUndefinedOr(first.last)
        assert.include((yield* readAll(client, { sync: "incremental", from })).keys, "auth0|000005")
      }
    }),
  )

  it.effect("a field whose name cannot be asked for is read all the same, and nothing beside it is kept", () =>
    Effect.gen(function* () {
      const plan = "https://example.com/claims/plan,tier"
      const { client } = makeTenant({ users: [user(1, 0, { [plan]: "pro" })] })
      const { records } = yield* readAll(client, { fields: [plan] })
      assert.deepStrictEqual(records[0]?.data, {
        user_id: "auth0|000001",
        created_at: time(0),
        updated_at: time(0),
        [plan]: "pro",
      })
    }),
  )
})

describe("find", () => {
  it.effect("keeps to the stream's filters as far as it can judge them", () =>
    Effect.gen(function* () {
      const users = [user(1, 0, { blocked: true }), user(2, 0, { email_verified: true }), user(3, 0)]
      const reader = yield* openReader(makeTenant({ users }).client)
      const find = (value: string, options: unknown) =>
        Effect.map(
          reader.find?.(request({ options: userOptions(options) }), { field: "user_id", value }) ??
            Effect.die("no find"),
          (records) => records.length,
        )
      assert.strictEqual(yield* find("auth0|000001", {}), 1)
      assert.strictEqual(yield* find("auth0|000001", { active_only: true }), 0)
      assert.strictEqual(yield* find("auth0|000003", { active_only: true }), 1)
      assert.strictEqual(yield* find("auth0|000002", { verified_only: true }), 1)
      assert.strictEqual(yield* find("auth0|000003", { verified_only: true }), 0)
      assert.strictEqual(yield* find("auth0|000003", { connection: "Users" }), 1)
      assert.strictEqual(yield* find("auth0|000003", { connection: "Others" }), 0)
      assert.strictEqual(yield* find("auth0|000003", { query: "nickname:x" }), 1)
    }).pipe(Effect.scoped),
  )
})

describe("positions", () => {
  it.effect("one that is not readable is lost, and the scan starts over", () =>
    Effect.gen(function* () {
      const reader = yield* openReader(makeTenant({ users: spread(3) }).client)
      for (const from of [
        { phase: "slide" },
        "x",
        null,
        { version: 1, phase: "slide", field: "created_at", exclusive: false, seen: [], bound: "2020 OR user_id:x" },
      ]) {
        const error = yield* Effect.flip(Stream.runDrain(reader.read(request({ from: Option.some(from) }))))
        assert.strictEqual(error.reason._tag, "PositionLost")
      }
    }).pipe(Effect.scoped),
  )

  it.effect(
    "a full scan resumed at its end yields nothing, and a full scan after incremental ones reads everything",
    () =>
      Effect.gen(function* () {
        const { client } = makeTenant({ users: spread(120) })
        const full = yield* readAll(client)
        const again = yield* readAll(client, { from: Option.fromUndefinedOr(full.last) })
        assert.deepStrictEqual(again.pages, [])
        const changes = yield* readAll(client, { sync: "incremental", since: Option.some(time(0)) })
        for (const page of changes.pages) {
          const after = yield* readAll(client, { from: Option.some(page.position) })
          assert.strictEqual(after.keys.length, 120)
        }
      }),
  )
})
