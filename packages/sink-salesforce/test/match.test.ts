/** Whose record it is: found by key or e-mail before one is made, never guessed. */
import { assert, describe, it } from "@effect/vitest"
import type { Outcome, Row } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import { type Candidate, makeIndex, matchRow } from "../src/match/candidates.ts"
import { matchedFields } from "../src/match/match.ts"
import { literal, selects } from "../src/match/soql.ts"
import {
  created,
  describes,
  failed,
  open,
  opening,
  row,
  type Script,
  type Setup,
  salesforce,
  services,
  when,
  write,
} from "./vendor.ts"

const ADA = "ada@example.com"
const CONTACT = "003000000000001AAA"
const OTHER = "003000000000002AAA"
const LEAD = "00Q000000000001AAA"
const UPDATE = "PATCH /composite/sobjects"

/** The answers to the queries of one call, in order. */
const found = (...lists: ReadonlyArray<ReadonlyArray<JsonObject>>): Script =>
  when("POST /composite", 200, {
    compositeResponse: lists.map((records, n) => ({
      body: { totalSize: records.length, done: true, records: [...records] },
      httpHeaders: {},
      httpStatusCode: 200,
      referenceId: `query${n}`,
    })),
  })

const of = (type: string, records: ReadonlyArray<JsonObject>) =>
  records.map((record) => ({ attributes: { type, url: "" }, ...record }))

/** Queries for one row, in one call: Contacts by key and by e-mail, then Leads. */
const people = (contacts: ReadonlyArray<JsonObject>, leads: ReadonlyArray<JsonObject> = []) => [
  found([], of("Contact", contacts), [], of("Lead", leads)),
]

const before = (object: "Contact" | "Lead", change = {}) => [
  ...opening(object, change),
  describes(object === "Contact" ? "Lead" : "Contact"),
]
/** In the order the sink asks: its own object, then Contact and Lead. */
const matching = { match: ["Email"], path: "collections" }

const person = (given: Partial<Row> = {}) => row(1, { Email: ADA }, given)
const sendOne = (rows: ReadonlyArray<Row>, setup: Setup = {}) =>
  write(rows, { ...setup, options: { ...matching, ...setup.options } })
const only = (outcomes: ReadonlyArray<Outcome>) => outcomes[0]

describe("before a Contact is made", () => {
  it.effect("one that has the e-mail and no key yet is adopted: it gets the key", () =>
    Effect.gen(function* () {
      const sent = salesforce(
        ...before("Contact"),
        ...people([{ Id: CONTACT, Auth0_Id__c: null, Email: "Ada@Example.com" }]),
        when(UPDATE, 200, [{ id: CONTACT, success: true, errors: [] }]),
      )
      assert.deepInclude(only(yield* sendOne([person()])), { effect: "updated", remoteId: CONTACT })
      assert.deepInclude(JSON.parse(sent.at(-1)?.text ?? "").records[0], { id: CONTACT, Auth0_Id__c: "auth0|1" })
    }).pipe(services),
  )

  it.effect("salesforce trap 22: of several nobody is picked: the row is held with all their ids", () =>
    Effect.gen(function* () {
      const both = [CONTACT, OTHER].map((Id) => ({ Id, Auth0_Id__c: null, Email: ADA }))
      salesforce(...before("Contact"), ...people(both))
      const outcome = only(yield* sendOne([person()]))
      assert.deepInclude(outcome, { _tag: "Rejected", code: "ambiguous" })
      assert.include(JSON.stringify(outcome), `${CONTACT}, ${OTHER}`)
      assert.notInclude(JSON.stringify(outcome), ADA)
    }).pipe(services),
  )

  it.effect("one that has another key is somebody else's, and a new one is made by key", () =>
    Effect.gen(function* () {
      salesforce(
        ...before("Contact"),
        ...people([{ Id: OTHER, Auth0_Id__c: "auth0|9", Email: ADA }]),
        when("PATCH /composite/sobjects/Contact/Auth0_Id__c", 200, [created(CONTACT)]),
      )
      assert.deepInclude(only(yield* sendOne([person()])), { effect: "created", remoteId: CONTACT })
    }).pipe(services),
  )

  it.effect("two rows with one e-mail do not take the same record: the second makes its own", () =>
    Effect.gen(function* () {
      salesforce(
        ...before("Contact"),
        ...people([{ Id: CONTACT, Auth0_Id__c: null, Email: ADA }]),
        when("PATCH /composite/sobjects", 200, [{ id: CONTACT, success: true, errors: [] }]),
        when("PATCH /composite/sobjects/Contact/Auth0_Id__c", 200, [created(OTHER)]),
      )
      const outcomes = yield* sendOne([person(), row(2, { Email: ADA })])
      assert.deepStrictEqual(
        outcomes.map((each) => each._tag === "Delivered" && [each.id, each.effect]),
        [
          ["auth0|1", "updated"],
          ["auth0|2", "created"],
        ],
      )
    }).pipe(services),
  )

  it.effect("an open Lead of the person is taken for it; what a Lead lacks is reported, never silent", () =>
    Effect.gen(function* () {
      const sent = salesforce(
        ...before("Contact"),
        ...people([], [{ Id: LEAD, Auth0_Id__c: null, Email: ADA, IsConverted: false }]),
        when(UPDATE, 200, [{ id: LEAD, success: true, errors: [] }]),
      )
      const outcome = only(yield* sendOne([row(1, { Email: ADA, MailingCity: "Paris" })]))
      assert.deepInclude(outcome, { effect: "updated", remoteId: LEAD })
      assert.deepStrictEqual(outcome?._tag === "Delivered" && outcome.dropped?.map(({ field }) => field), [
        "MailingCity",
      ])
      const [record] = JSON.parse(sent.at(-1)?.text ?? "").records
      assert.deepInclude(record, { attributes: { type: "Lead" }, id: LEAD })
      assert.notProperty(record, "MailingCity")
    }).pipe(services),
  )

  it.effect("salesforce trap 39: a person account is recognised, and not written as a Contact", () =>
    Effect.gen(function* () {
      const change = { IsPersonAccount: { type: "boolean", createable: false, updateable: false } }
      salesforce(
        ...before("Contact", change),
        ...people([{ Id: CONTACT, Auth0_Id__c: null, Email: ADA, IsPersonAccount: true }]),
      )
      assert.deepInclude(only(yield* sendOne([person()])), { _tag: "Rejected", code: "person_account" })
    }).pipe(services),
  )

  it.effect("one that the ledger knew was merged into another: that one is adopted, and no second one made", () =>
    Effect.gen(function* () {
      const gone = { ...when(UPDATE, 200, [failed("ENTITY_IS_DELETED")]) }
      const [query] = people([{ Id: OTHER, Auth0_Id__c: null, Email: ADA }])
      if (query === undefined) return
      salesforce(
        ...opening("Contact"),
        gone,
        describes("Lead"),
        query,
        when(UPDATE, 200, [{ id: OTHER, success: true, errors: [] }]),
      )
      const outcomes = yield* sendOne([person({ remoteId: CONTACT })])
      assert.deepInclude(only(outcomes), { effect: "updated", remoteId: OTHER })
    }).pipe(services),
  )

  it.effect("salesforce trap 22: of several that have the row's key nobody is picked either", () =>
    Effect.gen(function* () {
      const loose = { Auth0_Id__c: { unique: false } }
      const twice = of(
        "Contact",
        [CONTACT, OTHER].map((Id) => ({ Id, Auth0_Id__c: "auth0|1", Email: ADA })),
      )
      salesforce(...before("Contact", loose), found(twice, [], [], []))
      const outcome = only(yield* sendOne([person()], { options: { loose_key: true } }))
      assert.deepInclude(outcome, { _tag: "Rejected", code: "ambiguous" })
      assert.include(JSON.stringify(outcome), OTHER)
    }).pipe(services),
  )

  it.effect("the ledger knows the record: nothing is looked for", () =>
    Effect.gen(function* () {
      const sent = salesforce(...opening("Contact"), when(UPDATE, 200, [{ id: CONTACT, success: true, errors: [] }]))
      yield* sendOne([person({ remoteId: CONTACT })])
      assert.strictEqual(sent.length, 4)
    }).pipe(services),
  )
})

describe("before a Lead is made", () => {
  it.effect("a Contact of the person stands for it: Contacts before Leads", () =>
    Effect.gen(function* () {
      const sent = salesforce(
        ...before("Lead"),
        ...people(
          [{ Id: CONTACT, Auth0_Id__c: null, Email: ADA }],
          [{ Id: LEAD, Auth0_Id__c: null, Email: ADA, IsConverted: false }],
        ),
        when(UPDATE, 200, [{ id: CONTACT, success: true, errors: [] }]),
      )
      const outcome = only(yield* sendOne([row(1, { Email: ADA, Company: "Acme" })], { object: "Lead" }))
      assert.deepInclude(outcome, { effect: "updated", remoteId: CONTACT })
      assert.deepStrictEqual(outcome?._tag === "Delivered" && outcome.dropped?.map(({ field }) => field), ["Company"])
      assert.deepInclude(JSON.parse(sent.at(-1)?.text ?? "").records[0], {
        attributes: { type: "Contact" },
        id: CONTACT,
      })
    }).pipe(services),
  )

  it.effect("salesforce trap 23: a converted Lead leads to its Contact, and to one only", () =>
    Effect.gen(function* () {
      const lead = { Id: LEAD, Auth0_Id__c: null, Email: ADA, IsConverted: true, ConvertedContactId: CONTACT }
      const query = `GET /query?q=${encodeURIComponent(`SELECT Id, Auth0_Id__c, Email FROM Contact WHERE Id IN ('${CONTACT}')`)}`
      salesforce(
        ...before("Lead"),
        ...people([{ Id: CONTACT, Auth0_Id__c: null, Email: "ada@work.example.com" }], [lead]),
        when(query, 200, { totalSize: 1, done: true, records: [{ Id: CONTACT, Auth0_Id__c: null }] }),
        when(UPDATE, 200, [{ id: CONTACT, success: true, errors: [] }]),
      )
      assert.deepInclude(only(yield* sendOne([person()], { object: "Lead" })), { effect: "updated", remoteId: CONTACT })
    }).pipe(services),
  )

  const contact = (key: string | null) =>
    when(`GET /query?q=${encodeURIComponent(`SELECT Id, Auth0_Id__c FROM Contact WHERE Id IN ('${CONTACT}')`)}`, 200, {
      totalSize: 1,
      done: true,
      records: [{ Id: CONTACT, Auth0_Id__c: key }],
    })

  it.effect("salesforce trap 23: a Contact that is somebody else's is not taken for a Lead that became it", () =>
    Effect.gen(function* () {
      const leads = ["00Q000000000001AAA", "00Q000000000002AAA"]
      const query = `GET /query?q=${encodeURIComponent(`SELECT Id, Auth0_Id__c, ConvertedContactId FROM Lead WHERE Id IN (${leads.map((id) => `'${id}'`).join(",")})`)}`
      const run = (key: string | null, ...after: ReadonlyArray<Script>) => {
        salesforce(
          ...opening("Lead"),
          when(
            UPDATE,
            200,
            leads.map(() => failed("CANNOT_UPDATE_CONVERTED_LEAD")),
          ),
          when(query, 200, {
            totalSize: 2,
            done: true,
            records: leads.map((Id, n) => ({ Id, Auth0_Id__c: `auth0|${n + 1}`, ConvertedContactId: CONTACT })),
          }),
          describes("Contact"),
          contact(key),
          ...after,
        )
        return sendOne(
          leads.map((remoteId, n) => row(n + 1, { Email: ADA }, { remoteId })),
          { object: "Lead" },
        )
      }
      const both = yield* run("auth0|9")
      assert.deepStrictEqual(
        both.map((each) => each._tag === "Rejected" && each.code),
        ["key_conflict", "key_conflict"],
      )
      assert.include(JSON.stringify(both), CONTACT)
      const first = yield* run(null, when(UPDATE, 200, [{ id: CONTACT, success: true, errors: [] }]))
      assert.deepInclude(
        first.find(({ id }) => id === "auth0|1"),
        { _tag: "Delivered", remoteId: CONTACT },
      )
      assert.deepInclude(
        first.find(({ id }) => id === "auth0|2"),
        { _tag: "Rejected", code: "key_conflict" },
      )
    }).pipe(services),
  )

  it.effect("salesforce trap 23: one that was converted since the last run is found by its id, once", () =>
    Effect.gen(function* () {
      const query = `GET /query?q=${encodeURIComponent(`SELECT Id, Auth0_Id__c, ConvertedContactId FROM Lead WHERE Id IN ('${LEAD}')`)}`
      salesforce(
        ...opening("Lead"),
        when(UPDATE, 200, [failed("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")]),
        when(query, 200, {
          totalSize: 1,
          done: true,
          records: [{ Id: LEAD, Auth0_Id__c: "auth0|1", ConvertedContactId: CONTACT }],
        }),
        describes("Contact"),
        contact(null),
        when(UPDATE, 200, [{ id: CONTACT, success: true, errors: [] }]),
      )
      const outcomes = yield* sendOne([person({ remoteId: LEAD })], { object: "Lead" })
      assert.deepInclude(only(outcomes), { effect: "updated", remoteId: CONTACT })
    }).pipe(services),
  )

  it.effect("salesforce trap 23: from then on the ledger's Contact is written", () =>
    Effect.gen(function* () {
      const sent = salesforce(
        ...opening("Lead"),
        describes("Contact"),
        when(UPDATE, 200, [{ id: CONTACT, success: true, errors: [] }]),
      )
      yield* sendOne([person({ remoteId: CONTACT })], { object: "Lead" })
      assert.deepInclude(JSON.parse(sent.at(-1)?.text ?? "").records[0], {
        attributes: { type: "Contact" },
        id: CONTACT,
      })
    }).pipe(services),
  )
})

describe("a duplicate rule", () => {
  const objection = (...ids: ReadonlyArray<string>): JsonObject => ({
    success: false,
    errors: [
      {
        statusCode: "DUPLICATES_DETECTED",
        message: "Use one of these records?",
        fields: [],
        duplicateResult: {
          matchResults: [{ matchRecords: ids.map((Id) => ({ matchConfidence: 100, record: { Id } })) }],
        },
      },
    ],
  })
  const upsert = "PATCH /composite/sobjects/Contact/Auth0_Id__c"
  const lookAt = (id: string, key: string | null) =>
    when(`GET /query?q=${encodeURIComponent(`SELECT Id, Auth0_Id__c FROM Contact WHERE Id IN ('${id}')`)}`, 200, {
      totalSize: 1,
      done: true,
      records: [{ Id: id, Auth0_Id__c: key }],
    })

  it.effect("salesforce trap 34: rejects by default, and the dead letter names what it found", () =>
    Effect.gen(function* () {
      salesforce(...opening("Contact"), when(upsert, 200, [objection(CONTACT)]))
      const outcome = only(yield* write([row(1)]))
      assert.deepInclude(outcome, { _tag: "Rejected", code: "DUPLICATES_DETECTED" })
      assert.include(JSON.stringify(outcome), CONTACT)
    }).pipe(services),
  )

  it.effect("salesforce trap 34: adopt takes the one it found, if that is nobody's", () =>
    Effect.gen(function* () {
      const adopt = { options: { duplicates: "adopt" } }
      salesforce(
        ...opening("Contact"),
        when(upsert, 200, [objection(CONTACT)]),
        lookAt(CONTACT, null),
        when(UPDATE, 200, [{ id: CONTACT, success: true, errors: [] }]),
      )
      assert.deepInclude(only(yield* write([row(1)], adopt)), { effect: "updated", remoteId: CONTACT })
      salesforce(...opening("Contact"), when(upsert, 200, [objection(CONTACT)]), lookAt(CONTACT, "auth0|9"))
      assert.deepInclude(only(yield* write([row(1)], adopt)), { _tag: "Rejected", code: "DUPLICATES_DETECTED" })
    }).pipe(services),
  )

  it.effect("salesforce trap 34: allow asks Salesforce to save all the same, and only then", () =>
    Effect.gen(function* () {
      const sent = salesforce(...opening("Contact"), when(upsert, 200, [created(CONTACT)]))
      yield* write([row(1)], { options: { duplicates: "allow" } })
      assert.include(sent.at(-1)?.headers["sforce-duplicate-rule-header"], "allowSave=true")
    }).pipe(services),
  )
})

describe("a query", () => {
  it("salesforce trap 19: takes any text as a text: quotes and backslashes cannot end it", () => {
    assert.strictEqual(literal("o'brien@example.com"), "'o\\'brien@example.com'")
    assert.strictEqual(literal("\\' OR Name != '"), "'\\\\\\' OR Name != \\''")
    assert.strictEqual(literal("a\nb"), "'a\\nb'")
  })

  it("salesforce trap 20, 21: asks the database, not the search index, and for no more than an address holds", () => {
    const emails = Array.from({ length: 1000 }, (_, n) => `somebody.with.a.long.name+${n}@subdomain.example.com`)
    const queries = selects({ object: "Contact", fields: ["Id", "Email"], by: "Email" }, emails)
    for (const query of queries) {
      assert.isAtMost(encodeURIComponent(query).length, 7_100)
      assert.match(query, /^SELECT Id, Email FROM Contact WHERE Email IN \(/)
    }
    const named = queries.flatMap((query) => [...query.matchAll(/'([^']+)'/g)].map(([, email]) => email))
    assert.deepStrictEqual(named, emails)
    assert.deepStrictEqual(
      selects({ object: "Contact", fields: ["Id"], by: "Email" }, ["x".repeat(5000), "\ud83d"]),
      [],
    )
  })

  it.effect("salesforce trap 20: that is refused stops: it is not taken for nobody", () =>
    Effect.gen(function* () {
      salesforce(...before("Contact"), when("POST /composite", 400, [{ errorCode: "MALFORMED_QUERY", message: "x" }]))
      const error = yield* Effect.flip(sendOne([person()]))
      assert.strictEqual(error._tag, "SinkError")
    }).pipe(services),
  )
})

describe("a match", () => {
  const candidate = (id: string, given: Partial<Candidate> = {}): Candidate => ({
    type: "Contact",
    id,
    key: undefined,
    isPerson: false,
    lead: undefined,
    values: new Map([["Email", ADA]]),
    ...given,
  })
  const rules = { key: "Auth0_Id__c", fields: ["Email", "Phone"], types: ["Contact", "Lead"] }
  const matched = (candidates: ReadonlyArray<Candidate>, fields: JsonObject = { Email: " ADA@example.com" }) =>
    matchRow(row(1, fields), rules, makeIndex(rules, candidates), () => false)

  it("by key comes before any e-mail", () => {
    const own = candidate("3", { key: "auth0|1", values: new Map() })
    assert.deepInclude(matched([candidate("1"), candidate("2"), own]), { _tag: "One", candidate: own })
  })

  it("by a phone number compares digits, after the e-mail", () => {
    const phone = candidate("1", { values: new Map([["Phone", "33612345678"]]) })
    const fields = { Email: "nobody@example.com", Phone: "+33 6 12 34 56 78" }
    assert.deepInclude(matched([phone], fields), { _tag: "One", candidate: phone })
    assert.deepInclude(
      matched([phone, candidate("2", { values: new Map([["Email", "nobody@example.com"]]) })], fields),
      {
        _tag: "One",
      },
    )
  })

  it("without a value is none", () => {
    assert.deepStrictEqual(matched([candidate("1")], { Email: "" }), { _tag: "None" })
    assert.deepStrictEqual(matched([candidate("1")], {}), { _tag: "None" })
  })
})

describe("preview", () => {
  it.effect("tells no change where Salesforce keeps its own spelling, of an address or of a picklist", () =>
    Effect.gen(function* () {
      const fields = ["Auth0_Id__c", "LastName", "Email", "Tier__c"]
      const query = `SELECT Id, ${fields.join(", ")} FROM Contact WHERE Auth0_Id__c IN ('auth0|1')`
      const record = { Id: CONTACT, Auth0_Id__c: "auth0|1", LastName: "lovelace", Email: ADA, Tier__c: "gold" }
      salesforce(
        ...opening("Contact"),
        when(`GET /query?q=${encodeURIComponent(query)}`, 200, { totalSize: 1, done: true, records: [record] }),
      )
      const writer = yield* open({ fields, options: { match: [] } })
      const spelled = { LastName: "Lovelace", Email: ADA.toUpperCase(), Tier__c: "Gold" }
      const held = yield* writer.lookup?.(["auth0|1"], [row(1, spelled)]) ?? Effect.succeed(new Map())
      assert.deepStrictEqual(held.get("auth0|1")?.fields, { Auth0_Id__c: "auth0|1", ...spelled, LastName: "lovelace" })
    }).pipe(services),
  )

  it.effect("says which record a row is, and why; what a run would adopt or hold as well", () =>
    Effect.gen(function* () {
      const keys = ["auth0|1", "auth0|2"]
      const byKey = `SELECT Id, Auth0_Id__c, LastName, Email FROM Contact WHERE Auth0_Id__c IN ('auth0|1','auth0|2')`
      const byId = `SELECT Id, Auth0_Id__c, LastName, Email FROM Contact WHERE Id IN ('${OTHER}')`
      const page = (query: string, ...records: ReadonlyArray<JsonObject>) =>
        when(`GET /query?q=${encodeURIComponent(query)}`, 200, { totalSize: 1, done: true, records: [...records] })
      salesforce(
        ...opening("Contact"),
        page(byKey, { Id: CONTACT, Auth0_Id__c: "auth0|1", LastName: "Lovelace", Email: null }),
        describes("Lead"),
        ...people([{ Id: OTHER, Auth0_Id__c: null, Email: ADA }]),
        page(byId, { Id: OTHER, LastName: "Byron", Email: ADA }),
      )
      const writer = yield* open({ options: matching })
      const held = yield* writer.lookup?.(keys, [row(1), row(2, { Email: ADA })]) ?? Effect.succeed(new Map())
      assert.deepStrictEqual(held.get("auth0|1"), {
        remoteId: CONTACT,
        fields: { Auth0_Id__c: "auth0|1", LastName: "Lovelace" },
        why: `Auth0_Id__c is on Contact ${CONTACT}`,
      })
      assert.deepStrictEqual(held.get("auth0|2"), {
        remoteId: OTHER,
        fields: { LastName: "Byron", Email: ADA },
        why: `Email is on Contact ${OTHER}, which has no Auth0_Id__c yet`,
      })
    }).pipe(services),
  )
})

it("Lead and Contact are matched by e-mail without a word, where it is mapped; other objects by nothing", () => {
  assert.deepStrictEqual(matchedFields("Lead", ["Email"], undefined), ["Email"])
  assert.deepStrictEqual(matchedFields("Contact", ["LastName"], undefined), [])
  assert.deepStrictEqual(matchedFields("Account", ["Email"], undefined), [])
  assert.deepStrictEqual(matchedFields("Lead", ["Email"], []), [])
})
