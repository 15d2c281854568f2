/** Imports: what is refused, when rows take effect, what is lost in silence, what no report has. brevo.md §3.3, §3.4. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { lists, type Sandbox } from "../src/index.ts"
import { ask, type Body, brevo, importing, processOf, row, sandboxOf, submit } from "./ask.ts"

const attributesOf = (sandbox: Sandbox, name: string) => sandbox.control.contact(name)?.attributes

/** The lines of a report, without a key as its address wants it. */
const report = (sandbox: Sandbox, address: string): ReadonlyArray<string> => {
  const answer = ask(sandbox, "GET", new URL(address).pathname)
  assert.strictEqual(answer.status, 200)
  return answer.body.trim().split("\n")
}

describe("an import", () => {
  it.effect("is queued, then in process, then completed, and takes effect only then", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const accepted = submit(sandbox, [row("a", { FIRSTNAME: "Ada", LOGIN_COUNT: 3 })])
      assert.strictEqual(accepted.status, 202)
      assert.deepStrictEqual(accepted.body, { processId: 1 })
      assert.deepStrictEqual(processOf(sandbox), { id: 1, name: "IMPORTUSER", status: "queued" })
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(processOf(sandbox).status, "in_process")
      assert.deepStrictEqual(sandbox.control.contacts(), [])
      yield* TestClock.adjust("1 milli")
      assert.strictEqual(processOf(sandbox).status, "completed")
      assert.deepInclude(sandbox.control.contact("a"), {
        attributes: { FIRSTNAME: "Ada", LOGIN_COUNT: 3, EXT_ID: "a" },
        listIds: [20],
        modifiedAt: "1970-01-01T00:00:01.000Z",
      })
    }),
  )

  it.effect(
    "brevo trap 15: is refused without a list, with an option of another call, with two bodies or too large",
    () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf()
        const jsonBody = [row("a")]
        const refused = [
          { jsonBody },
          { jsonBody, listIds: [] },
          { jsonBody, listIds: [999] },
          { jsonBody, newList: { listName: "" } },
          { jsonBody, listIds: [20], updateEnabled: true },
          { jsonBody, listIds: [20], disableNotification: "true" },
          { jsonBody, listIds: [20], fileBody: "EMAIL\na@example.com" },
          { listIds: [20] },
          { listIds: [20], jsonBody: [] },
          { listIds: [20], jsonBody: [row("a", { FIRSTNAME: "x".repeat(10_000_000) })] },
        ]
        for (const body of refused) assert.strictEqual(brevo(sandbox, "POST", "/contacts/import", { body }).status, 400)
        const url = { listIds: [20], fileUrl: "https://files.example.com/contacts.csv" }
        assert.strictEqual(brevo(sandbox, "POST", "/contacts/import", { body: url }).status, 501)
        assert.strictEqual(processOf(sandbox).message, "processId is invalid")
      }),
  )

  it.effect(
    "brevo trap 1 and 2: an unknown attribute and a value of another type are lost, and no report says so",
    () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf()
        const odd = { NO_SUCH: "x", firstname: "lower case", LOGIN_COUNT: "7", SIGNUP_DATE: "11/02/1989", SMS: "12345" }
        const { info } = yield* importing(sandbox, [row("a", { ...odd, COMPANY: "Acme" })])
        assert.deepStrictEqual(attributesOf(sandbox, "a"), { COMPANY: "Acme", EXT_ID: "a" })
        assert.deepStrictEqual([...new Set(Object.values(info.import))], [null])
      }),
  )

  it.effect("brevo trap 4: ignores a boolean false, unless told to believe otherwise", () =>
    Effect.gen(function* () {
      for (const importsFalse of [false, true]) {
        const sandbox = yield* sandboxOf({ importsFalse })
        yield* importing(sandbox, [row("a", { IS_ADMIN: true })])
        yield* importing(sandbox, [row("a", { IS_ADMIN: false })])
        assert.strictEqual(attributesOf(sandbox, "a")?.IS_ADMIN, !importsFalse)
      }
    }),
  )

  it.effect("brevo trap 14: completes without the rows that its reports name", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      yield* importing(sandbox, [row("a", { SMS: "15550000001" }), row("b")])
      const { status, info } = yield* importing(sandbox, [
        { email: "no address", attributes: { COMPANY: 'A; "B"' } },
        { email: "new@example.com", attributes: { EXT_ID: "a" } },
        row("c", { SMS: "+15550000001" }),
        row("d"),
        { email: "D@example.com", attributes: { EXT_ID: "d2" } },
      ])
      assert.strictEqual(status, "completed")
      const reports: Body = info.import
      const names = Object.keys(reports).filter((name) => reports[name] !== null)
      assert.sameMembers(names, ["invalid_emails", "duplicate_ext_id", "duplicate_phone_id", "duplicate_email_id"])
      assert.deepStrictEqual(report(sandbox, reports.invalid_emails), ["EMAIL;COMPANY", 'no address;"A; ""B"""'])
      assert.deepStrictEqual(report(sandbox, reports.duplicate_ext_id), ["EMAIL;EXT_ID", "new@example.com;a"])
      assert.deepStrictEqual(report(sandbox, reports.duplicate_phone_id), [
        "EMAIL;EXT_ID;SMS",
        "c@example.com;c;+15550000001",
      ])
      assert.deepStrictEqual(report(sandbox, reports.duplicate_email_id), ["EMAIL;EXT_ID", "D@example.com;d2"])
      assert.sameMembers(
        sandbox.control.contacts().map((contact) => contact.ext_id),
        ["a", "b", "d"],
      )
    }),
  )

  it.effect("hands its reports to whoever knows the address, and to nobody who sends the key along", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const { info } = yield* importing(sandbox, [{ email: "no address" }])
      const path = new URL(info.import.invalid_emails).pathname
      assert.strictEqual(ask(sandbox, "GET", path, { headers: { "api-key": "any" } }).status, 400)
      assert.strictEqual(ask(sandbox, "GET", path).headers["content-type"], "text/csv; charset=utf-8")
      assert.strictEqual(ask(sandbox, "GET", path.replace("invalid_emails", "other")).status, 404)
    }),
  )

  it.effect("brevo trap 16: empty values erase only if asked to, and then a column of other rows erases too", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const full = { COMPANY: "Acme", FIRSTNAME: "Ada", SMS: "15550000001" }
      yield* importing(sandbox, [row("a", full), row("b", { COMPANY: "Acme" })])
      yield* importing(sandbox, [row("a", { COMPANY: "", SMS: "" }), row("b", { FIRSTNAME: "Bob" })])
      assert.deepStrictEqual(attributesOf(sandbox, "a"), { ...full, EXT_ID: "a" })
      const erasing = { emptyContactsAttributes: true }
      yield* importing(sandbox, [row("a", { COMPANY: "", SMS: "" }), row("b", { FIRSTNAME: "Bob" })], erasing)
      assert.deepStrictEqual(attributesOf(sandbox, "a"), { EXT_ID: "a" })
      assert.deepStrictEqual(attributesOf(sandbox, "b"), { FIRSTNAME: "Bob", EXT_ID: "b" })
    }),
  )

  it.effect("brevo trap 17: lands after a single write made meanwhile, and overwrites it", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const single = (name: string) =>
        brevo(sandbox, "POST", "/contacts", {
          body: { email: "a@example.com", ext_id: "a", attributes: { FIRSTNAME: name }, updateEnabled: true },
        })
      single("oldest")
      submit(sandbox, [row("a", { FIRSTNAME: "older" })])
      yield* TestClock.adjust("600 millis")
      single("newest")
      assert.strictEqual(attributesOf(sandbox, "a")?.FIRSTNAME, "newest")
      yield* TestClock.adjust("400 millis")
      assert.strictEqual(attributesOf(sandbox, "a")?.FIRSTNAME, "older")
    }),
  )

  it.effect("brevo trap 22: mails the account's owner at its end unless that is turned off", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      yield* importing(sandbox, [row("a")], { disableNotification: true })
      assert.strictEqual(sandbox.control.mails(), 0)
      yield* importing(sandbox, [row("a")])
      assert.strictEqual(sandbox.control.mails(), 1)
    }),
  )

  it.effect("finds a contact by its e-mail first; a new e-mail under a known EXT_ID is no change of address", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      yield* importing(sandbox, [row("a")])
      const moved = yield* importing(sandbox, [{ email: "new@example.com", attributes: { EXT_ID: "a" } }])
      assert.isString(moved.info.import.duplicate_ext_id)
      yield* importing(sandbox, [{ email: "a@example.com", attributes: { EXT_ID: "renamed" } }])
      yield* importing(sandbox, [{ attributes: { EXT_ID: "renamed", COMPANY: "Acme" } }])
      assert.deepStrictEqual(
        sandbox.control.contacts().map(({ email, ext_id, attributes }) => [email, ext_id, attributes.COMPANY]),
        [["a@example.com", "renamed", "Acme"]],
      )
      const deaf = yield* sandboxOf({ importsExtId: false })
      yield* importing(deaf, [row("a"), { attributes: { EXT_ID: "b" } }])
      assert.deepStrictEqual(
        deaf.control.contacts().map(({ email, ext_id }) => [email, ext_id]),
        [["a@example.com", undefined]],
      )
    }),
  )

  it.effect(
    "leaves existing contacts alone if asked to, blocks all its rows if asked to, makes the list it asks for",
    () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf()
        yield* importing(sandbox, [row("a")])
        const newList = { listName: "Imported", folderId: 1 }
        const options = { listIds: undefined, newList, updateExistingContacts: false, emailBlacklist: true }
        yield* importing(sandbox, [row("a"), row("b")], options)
        assert.deepStrictEqual(
          sandbox.control.contacts().map(({ listIds, emailBlacklisted }) => [listIds, emailBlacklisted]),
          [
            [[20], false],
            [[lists.imports + 1], true],
          ],
        )
        sandbox.control.editContact("a", { emailBlacklisted: true })
        yield* importing(sandbox, [row("a")])
        assert.isTrue(sandbox.control.contact("a")?.emailBlacklisted)
      }),
  )

  it.effect("is in the journal at once, its rows when they take effect", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      submit(sandbox, [row("a"), row("b")], { disableNotification: true })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(
        sandbox.control.journal().map(({ time, key, effect, status }) => [time, key, effect, status]),
        [
          [0, undefined, "none", 202],
          [1_000, "a", "created", 202],
          [1_000, "b", "created", 202],
        ],
      )
      const [entry, first] = sandbox.control.journal().map(({ body }): Body => JSON.parse(body))
      assert.deepInclude(entry, { listIds: [20], disableNotification: true })
      assert.deepStrictEqual(first, row("a"))
    }),
  )

  it.effect("is read back by time and list, page by page, and never from a page that is out of date", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      yield* importing(sandbox, [row("old")])
      yield* importing(
        sandbox,
        Array.from({ length: 1_500 }, (_, number) => row(`u${number}`)),
      )
      const get = (offset: number) =>
        brevo(sandbox, "GET", "/contacts", {
          query: {
            modifiedSince: new Date(1_001).toISOString(),
            listIds: "20",
            sort: "asc",
            limit: "1000",
            offset: `${offset}`,
          },
        }).body
      assert.deepStrictEqual([get(0).count, get(0).contacts.length, get(1_000).contacts.length], [1_500, 1_000, 500])
      assert.strictEqual(get(0).contacts[0].ext_id, "u0")
      brevo(sandbox, "DELETE", "/contacts/u0", { query: { identifierType: "ext_id" } })
      assert.strictEqual(get(0).contacts[0].ext_id, "u1")
      assert.strictEqual(brevo(sandbox, "GET", "/contacts", { query: { limit: "1001" } }).status, 400)
    }),
  )
})
