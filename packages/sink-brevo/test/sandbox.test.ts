/** The sink against the sandbox's Brevo: consent and repeats over the life of a contact. */
import { assert, describe, it } from "@effect/vitest"
import { CurrentLimiters, makeLimiters } from "@sluice/core"
import { credentials, httpClient, makeSandbox, type Sandbox } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { JsonObject } from "effect/Schema"
import { memory, open, row, type Setup } from "./vendor.ts"

const fresh = makeSandbox({ users: 0, seed: 1, limits: "high" })
const config = { api_key: credentials.apiKey }

const stored = (sandbox: Sandbox) =>
  new Map(
    sandbox.control.contacts().map(({ ext_id, attributes }) => [ext_id ?? "", JSON.parse(JSON.stringify(attributes))]),
  )

/** Opens the sink on a sandbox; `send` writes one row, with the contact's id where `known`. */
const connected = Effect.fnUntraced(function* (sandbox: Sandbox, setup: Setup) {
  const writer = yield* open({ ...setup, config }).pipe(
    Effect.provideService(HttpClient.HttpClient, httpClient(sandbox)),
    Effect.provideService(CurrentLimiters, makeLimiters()),
    memory,
  )
  return Effect.fnUntraced(function* (fields: JsonObject, known = true) {
    const id = sandbox.control.contact("auth0|1")?.id
    const given = known && id !== undefined ? { remoteId: String(id) } : {}
    const [outcome] = yield* writer.write({ id: "b", attempt: 1, rows: [row(fields, given)] })
    return outcome
  })
})

const view = (sandbox: Sandbox) => {
  const found = sandbox.control.contact("auth0|1")
  return [found?.email, found?.emailBlacklisted, found?.listIds]
}

describe("the life of a contact", () => {
  it.effect("P03, P07: unsubscribed contacts stay so through a new e-mail and any lists", () =>
    Effect.gen(function* () {
      const sandbox = yield* fresh
      const fields = ["ext_id", "email", "listIds", "FIRSTNAME"]
      const send = yield* connected(sandbox, { fields, options: { lists: [20, 21] } })
      yield* send({ email: "ada@example.com", listIds: [20] }, false)
      assert.deepStrictEqual(view(sandbox), ["ada@example.com", false, [20]])

      yield* send({ email: "new@example.com", listIds: [21] })
      assert.deepStrictEqual(view(sandbox), ["new@example.com", false, [21]])

      sandbox.control.editContact("auth0|1", { emailBlacklisted: true, unsubscribe: [21] })
      yield* send({ email: "newer@example.com", listIds: [20, 21] })
      yield* send({ email: "newest@example.com", listIds: [21] }, false)
      assert.deepStrictEqual(view(sandbox), ["newest@example.com", true, []])

      assert.strictEqual(sandbox.control.contacts().length, 1)
      const bodies = sandbox.control.journal().map(({ body }) => body)
      assert.isFalse(bodies.some((body) => /listed":false|forceMerge|updateEnabled":true/.test(body)))
      assert.deepStrictEqual(sandbox.unmodelled, [])
    }),
  )

  it.effect("a second run of the same rows writes nothing", () =>
    Effect.gen(function* () {
      const sandbox = yield* fresh
      const send = yield* connected(sandbox, {
        fields: [
          "ext_id",
          "email",
          "SMS",
          "SIGNUP_DATE",
          "LOGIN_COUNT",
          "EMAIL_VERIFIED",
          "TIER",
          "INTERESTS",
          "COMPANY",
        ],
        options: { lists: [20] },
      })
      const fields = {
        email: "Ada@Example.com",
        SMS: "+33612345678",
        SIGNUP_DATE: "2026-01-02",
        LOGIN_COUNT: 0,
        EMAIL_VERIFIED: false,
        TIER: "gold",
        INTERESTS: ["events", "news"],
        COMPANY: null,
      }
      assert.deepInclude(yield* send(fields, false), { effect: "created" })
      const written = sandbox.control.journal().length
      assert.deepInclude(yield* send(fields), { effect: "unchanged" })
      assert.strictEqual(sandbox.control.journal().length, written)
      assert.deepInclude(yield* send({ ...fields, INTERESTS: null, SMS: null }), { effect: "updated" })
      assert.deepStrictEqual(Object.keys(stored(sandbox).get("auth0|1") ?? {}).sort(), [
        "EMAIL_VERIFIED",
        "EXT_ID",
        "LOGIN_COUNT",
        "SIGNUP_DATE",
        "TIER",
      ])
    }),
  )
})
