/** Rows that are imported end as they would if each were written by itself. */
import { assert, describe, it } from "@effect/vitest"
import type { Outcome, Row } from "@sluice/core"
import { lists, type Sandbox } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import fc from "fast-check"
import { account, FIELDS, route } from "./importing.ts"

const CASES = 40
const IMPORT_LIST = lists.social

/** Few names and values, so that rows meet each other and what is there. */
const value = fc.record(
  {
    email: fc.integer({ min: 1, max: 9 }).map((n) => `user${n}@example.com`),
    FIRSTNAME: fc.constantFrom("Ada", "Grace", "", null),
    COMPANY: fc.constantFrom("A", null),
    EMAIL_VERIFIED: fc.constantFrom(true, false, null),
    LOGIN_COUNT: fc.constantFrom(0, 1, null),
    SMS: fc.constantFrom("+33612345678", "0033612345679", "not a number", null),
    listIds: fc.constantFrom([20], [20, 21], []),
  },
  { requiredKeys: ["email"] },
)

interface Case {
  readonly before: ReadonlyMap<number, JsonObject>
  readonly edits: ReadonlyArray<number>
  readonly rows: ReadonlyMap<number, JsonObject>
  readonly ledger: boolean
}

const some = (most: number) =>
  fc
    .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 9 }), value), { selector: ([n]) => n, maxLength: most })
    .map((all) => new Map<number, JsonObject>(all))

const aCase: fc.Arbitrary<Case> = fc.record({
  before: some(5),
  edits: fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 2 }),
  rows: some(9),
  ledger: fc.boolean(),
})

const setup = { fields: [...FIELDS, "listIds"], options: { lists: [20, 21], import_list: IMPORT_LIST } }

const rowsOf = (sandbox: Sandbox, all: ReadonlyMap<number, JsonObject>, ledger: boolean): ReadonlyArray<Row> =>
  [...all].map(([n, fields]) => {
    const key = `auth0|${n}`
    const id = ledger ? sandbox.control.contact(key)?.id : undefined
    const row: Row = { id: key, key, change: "upsert", fields: { ext_id: key, ...fields } }
    return id === undefined ? row : { ...row, remoteId: String(id) }
  })

const filled = Effect.fnUntraced(function* ({ before, edits }: Case) {
  const sandbox = yield* account()
  const first = yield* route(sandbox, setup)
  yield* first.single(rowsOf(sandbox, before, false))
  for (const n of edits) {
    sandbox.control.editContact(`auth0|${n}`, n % 2 === 0 ? { emailBlacklisted: true } : { unsubscribe: [20] })
  }
  return sandbox
})

const contactsOf = (sandbox: Sandbox) =>
  sandbox.control
    .contacts()
    .map(({ id: _, createdAt: __, modifiedAt: ___, listIds, ...contact }) =>
      JSON.stringify({
        ...contact,
        attributes: sorted(contact.attributes),
        listIds: listIds.filter((list) => list !== IMPORT_LIST),
      }),
    )
    .sort()

const sorted = (attributes: object) => Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))

const verdicts = (outcomes: ReadonlyArray<Outcome>) =>
  outcomes
    .map(
      (each) =>
        `${each.id} ${each._tag === "Rejected" ? each.code : each._tag} ${JSON.stringify("dropped" in each ? each.dropped : "")}`,
    )
    .sort()

describe("one row at a time or by import", () => {
  const cases = fc.sample(aCase, { numRuns: CASES, seed: 3 })
  let carried = 0

  it.effect(`leaves the same contacts and outcomes, in ${CASES} cases`, () =>
    Effect.gen(function* () {
      for (const each of cases) {
        const one = yield* filled(each)
        const single = yield* route(one, setup)
        const wanted = yield* single.single(rowsOf(one, each.rows, each.ledger))

        const other = yield* filled(each)
        const imported = yield* route(other, setup)
        const rows = rowsOf(other, each.rows, each.ledger)
        const outcomes = yield* imported.job(rows)
        const left = new Set(outcomes.flatMap(({ _tag, id }) => (_tag === "Deferred" ? [id] : [])))
        const rest = yield* imported.single(rows.filter(({ id }) => left.has(id)))
        carried += rows.length - left.size

        assert.deepStrictEqual(contactsOf(other), contactsOf(one))
        const found = [...outcomes.filter(({ id }) => !left.has(id)), ...rest]
        assert.deepStrictEqual(verdicts(found), verdicts(wanted))
      }
      assert.isAbove(carried, CASES / 2)
    }),
  )
})
