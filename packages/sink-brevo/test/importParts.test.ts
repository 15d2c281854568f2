/** Bodies below Brevo's size, pages that move while they are read, names in constant memory, and what is worth a job. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { bodiesOf, LARGEST_BODY } from "../src/bodies.ts"
import { makeCensus } from "../src/census.ts"
import { account, route, stored, user, users } from "./importing.ts"
import { attributes, brevo, contact, onMovingClock, open, services, when } from "./vendor.ts"

const bytesOf = (text: string) => new TextEncoder().encode(text).byteLength

describe("bodies", () => {
  it("D03: every row is in one body, and every body below the size in bytes", () => {
    const piece = fc.record({
      json: fc.string({ unit: "binary", maxLength: 40 }).map((text) => JSON.stringify({ email: text, attributes: {} })),
      lists: fc.constantFrom([20], [20, 21], [22]),
      exists: fc.boolean(),
    })
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 10, maxLength: 40 }),
        fc.integer({ min: 300, max: 1000 }),
        (pieces, largest) => {
          const bodies = bodiesOf(pieces, largest)
          const rows = bodies.flatMap(({ text }) => {
            assert.isAtMost(bytesOf(text), largest)
            const { jsonBody, listIds, updateExistingContacts } = JSON.parse(text)
            return jsonBody.map((row: unknown) => ({ json: JSON.stringify(row), listIds, updateExistingContacts }))
          })
          const sorted = (all: ReadonlyArray<object>) => all.map((each) => JSON.stringify(each)).sort()
          const wanted = pieces.map(({ json, lists, exists }) => ({
            json: JSON.stringify(JSON.parse(json)),
            listIds: lists,
            updateExistingContacts: exists,
          }))
          assert.deepStrictEqual(sorted(rows), sorted(wanted))
        },
      ),
      { numRuns: 30 },
    )
  })

  it("D03: a row that no body holds is left out", () => {
    const piece = (length: number) => ({
      json: JSON.stringify({ email: "x".repeat(length) }),
      lists: [1],
      exists: false,
    })
    assert.deepStrictEqual(
      bodiesOf([piece(10), piece(900), piece(20)], 400).map(({ rows }) => rows),
      [2],
    )
  })

  it.effect("a job's worth of rows, however wide their letters, fits one body", () =>
    Effect.gen(function* () {
      const { jobs, writer } = yield* route(yield* account())
      const { rows, bytes = 0 } = jobs.limits
      assert.isAtMost(rows, 100_000)
      const text = "é".repeat(Math.floor((bytes / rows - 90) / 2))
      const pieces = users(rows, { FIRSTNAME: text }).map(({ fields: { ext_id, email, ...attributes } }) => ({
        json: JSON.stringify({ email, attributes: { ...attributes, EXT_ID: ext_id } }),
        lists: [20, 21, 22],
        exists: false,
      }))
      const bodies = bodiesOf(pieces)
      assert.lengthOf(bodies, 1)
      assert.isAtMost(bytesOf(bodies[0]?.text ?? ""), LARGEST_BODY)
      assert.isAbove(bytesOf(bodies[0]?.text ?? ""), bytes * 0.9)
      assert.isDefined(writer)
    }),
  )
})

describe("imports of one job", () => {
  it.effect("are no more than one look at the processes shows: the fullest, the other rows go by themselves", () =>
    Effect.gen(function* () {
      const sent = brevo(
        attributes,
        when("GET /contacts?limit=1000&offset=0&sort=asc", 200, { contacts: [], count: 0 }),
        ...Array.from({ length: 40 }, (_, n) => when("POST /contacts/import", 202, { processId: n + 1 })),
      )
      const managed = [1, 2, 3, 4, 5, 6]
      const fields = ["ext_id", "email", "FIRSTNAME", "listIds"]
      const writer = yield* open({ fields, options: { lists: managed, path: "import" } })
      const rows = Array.from({ length: 100 }, (_, n) => {
        // 26 sets of lists with one row, then 37 with two.
        const set = n < 26 ? n + 1 : 27 + (n % 37)
        return user(n, { listIds: managed.filter((_, place) => ((set >> place) & 1) === 1) })
      })
      yield* onMovingClock(writer.jobs?.submit(stored(rows), () => Effect.void) ?? Effect.void)
      const sizes = sent.slice(2).map(({ body }) => JSON.stringify(body).split("example.com").length - 1)
      assert.deepStrictEqual(sizes, [...Array.from({ length: 37 }, () => 2), 1, 1, 1])
    }).pipe(services),
  )
})

describe("reading all contacts", () => {
  const contacts = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => contact(from + n))
  const at = (offset: number, from: number, to: number, count: number) =>
    when(`GET /contacts?limit=1000&offset=${offset}&sort=asc`, 200, { contacts: contacts(from, to), count })

  /** By way of a job: what is not known to be all is not the ground for an import. */
  const submit = Effect.fnUntraced(function* (rows: number) {
    const writer = yield* open({ options: { lists: [20], path: "import" } })
    const refs: Array<string> = []
    const batch = stored(users(rows))
    yield* writer.jobs?.submit(batch, (ref) => Effect.sync(() => void refs.push(ref))) ?? Effect.void
    return refs
  })

  it.effect("each page begins with the last of the one before", () =>
    Effect.gen(function* () {
      brevo(
        attributes,
        at(0, 1, 1000, 1500),
        at(999, 1000, 1500, 1500),
        when("POST /contacts/import", 202, { processId: 9 }),
      )
      const refs = yield* submit(20)
      assert.deepInclude(JSON.parse(refs.at(-1) ?? ""), { processes: [9], newest: 1500, unseen: false })
    }).pipe(services),
  )

  const done = when("POST /contacts/import", 202, { processId: 9 })

  it.effect("C19: a contact that was deleted meanwhile moves others past the page: the one before is read again", () =>
    Effect.gen(function* () {
      const moved = [at(1998, 2000, 2500, 2499), at(999, 1001, 2000, 2499), at(1998, 2000, 2500, 2499)]
      brevo(attributes, at(0, 1, 1000, 2500), at(999, 1000, 1999, 2500), ...moved, done)
      assert.deepInclude(JSON.parse((yield* submit(20)).at(-1) ?? ""), { processes: [9], newest: 2500 })
    }).pipe(services),
  )

  it.effect("C19: where more were deleted than that, all are read again", () =>
    Effect.gen(function* () {
      const slipped = [at(0, 1, 1000, 2999), at(999, 2000, 2999, 1999), at(0, 1001, 2000, 1999)]
      brevo(
        attributes,
        ...slipped,
        at(0, 1001, 2000, 1999),
        at(999, 2000, 2999, 1999),
        at(1998, 2999, 2999, 1999),
        done,
      )
      assert.lengthOf(yield* submit(20), 2)
    }).pipe(services),
  )

  it.effect("a page that Brevo cuts short is not the last", () =>
    Effect.gen(function* () {
      brevo(attributes, at(0, 1, 500, 900), at(499, 500, 900, 900), done)
      assert.deepInclude(JSON.parse((yield* submit(20)).at(-1) ?? ""), { processes: [9], newest: 900 })
    }).pipe(services),
  )

  it.effect("P03: a contact whose page does not tell what it unsubscribed from is put on no list by an import", () =>
    Effect.gen(function* () {
      const { listUnsubscribed: _, ...silent } = contact(1, { email: "user1@example.com", attributes: {} })
      const page = { contacts: [silent, contact(2, { email: "user2@example.com", attributes: {} })], count: 2 }
      const sent = brevo(attributes, when("GET /contacts?limit=1000&offset=0&sort=asc", 200, page), done)
      yield* submit(2)
      assert.lengthOf(JSON.stringify(sent[2]?.body).match(/example\.com/g) ?? [], 1)
    }).pipe(services),
  )

  it.effect("an account that takes more calls to read than the rows to write is not read", () =>
    Effect.gen(function* () {
      brevo(attributes, at(0, 1, 1000, 20_001))
      assert.deepInclude(JSON.parse((yield* submit(20)).at(-1) ?? ""), { processes: [], unseen: false })
    }).pipe(services),
  )
})

describe("the names an account holds", () => {
  it("are all known, and a strange one is seldom taken for one", () => {
    const census = makeCensus()
    for (let n = 0; n < 100_000; n++) census.add(`email user${n}@example.com`)
    let strange = 0
    for (let n = 0; n < 100_000; n++) {
      if (!census.mayHold(`email user${n}@example.com`)) assert.fail(`user${n} is forgotten`)
      if (census.mayHold(`email user${n}@example.org`)) strange += 1
    }
    assert.isBelow(strange, 10)
  })
})

describe("the way rows take", () => {
  const worth = (options: object, config = {}) =>
    Effect.map(open({ options: { lists: [20], ...options }, config, share: 0.8 }), ({ jobs, cost }) => ({
      least: [1, 200, 401, 801, 2401, 16_000].find((rows) => jobs?.worth(rows)),
      cost: (rows: number) => cost?.(rows),
    }))

  it.effect("auto imports where one by one would take more than 50 seconds, by the plan", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* worth({})).least, 401)
      assert.strictEqual((yield* worth({}, { tier: "advanced" })).least, 801)
      assert.strictEqual((yield* worth({}, { tier: "extended" })).least, 2401)
      assert.strictEqual((yield* worth({ path: "import" })).least, 1)
      assert.strictEqual((yield* worth({ path: "upsert" })).least, undefined)
    }).pipe(services),
  )

  it.effect("the preview's cost is that of the way taken", () =>
    Effect.gen(function* () {
      const { cost } = yield* worth({})
      assert.deepStrictEqual(cost(100), { calls: 200, seconds: 25 })
      assert.deepStrictEqual(cost(16_000), { calls: 36, seconds: 55 })
      assert.deepStrictEqual((yield* worth({ path: "upsert" })).cost(16_000)?.calls, 32_000)
    }).pipe(services),
  )

  it.effect("rows without an e-mail in the mapping are never imported", () =>
    Effect.gen(function* () {
      const { jobs } = yield* open({ fields: ["ext_id", "FIRSTNAME"], options: { lists: [20], path: "import" } })
      assert.isFalse(jobs?.worth(16_000))
    }).pipe(services),
  )
})
