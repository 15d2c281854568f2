/** Imports: what is queued, when it takes effect, what no report has. brevo.md §3.3 and §3.4. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Sandbox } from "../src/index.ts"
import { ask, type Body, brevo, sandboxOf } from "./ask.ts"

const submit = (sandbox: Sandbox, rows: ReadonlyArray<object>, options: object = {}) =>
  brevo(sandbox, "POST", "/contacts/import", { body: { jsonBody: rows, listIds: [20], ...options } })

const processOf = (sandbox: Sandbox, id = 1): Body => brevo(sandbox, "GET", `/processes/${id}`).body

/** Sent, and a second later, when it has taken effect. */
const importing = (sandbox: Sandbox, rows: ReadonlyArray<object>, options: object = {}) =>
  Effect.gen(function* () {
    const { body } = submit(sandbox, rows, options)
    yield* TestClock.adjust("1 second")
    return processOf(sandbox, body.processId)
  })

const row = (name: string, attributes: object = {}) => ({
  email: `${name}@example.com`,
  attributes: { EXT_ID: name, ...attributes },
})

const attributesOf = (sandbox: Sandbox, name: string) => sandbox.control.contact(name)?.attributes

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
      const contact = sandbox.control.contact("a")
      assert.deepStrictEqual(contact?.attributes, { FIRSTNAME: "Ada", LOGIN_COUNT: 3, EXT_ID: "a" })
      assert.deepStrictEqual(contact?.listIds, [20])
      assert.strictEqual(contact?.modifiedAt, "1970-01-01T00:00:01.000Z")
    }),
  )
})
