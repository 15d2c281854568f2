/** An import over a socket and in process: where its reports are found, and its faults switched from outside. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { jsonUnsafe as jsonBody } from "effect/http/HttpBody"
import * as TestClock from "effect/testing/TestClock"
import { httpClient, serve } from "../src/index.ts"
import { apiKey, type Body, sandboxOf } from "./ask.ts"

const body = { jsonBody: [{ email: "no address" }, { email: "a@example.com" }], listIds: [20] }

describe("over a socket", () => {
  it.live("an import's report is at an address of the sandbox, and a key sent there is refused", () =>
    Effect.gen(function* () {
      const { origin } = yield* serve(yield* sandboxOf({ importMillis: 0 }), 0)
      const call = (method: string, address: string, sent?: object, headers: { [name: string]: string } = apiKey) =>
        Effect.promise(async (): Promise<{ readonly status: number; readonly text: string }> => {
          const body = sent === undefined ? {} : { body: JSON.stringify(sent) }
          const response = await fetch(address, { method, headers, ...body })
          return { status: response.status, text: await response.text() }
        })
      const api = `${origin}/brevo/v3`
      assert.deepStrictEqual(yield* call("POST", `${api}/contacts/import`, body), {
        status: 202,
        text: '{"processId":1}',
      })
      const process: Body = JSON.parse((yield* call("GET", `${api}/processes/1`)).text)
      const address = process.info.import.invalid_emails
      assert.strictEqual(address, `${origin}/brevo/reports/1/invalid_emails.csv`)
      assert.deepStrictEqual(yield* call("GET", address, undefined, {}), { status: 200, text: "EMAIL\nno address\n" })
      assert.strictEqual((yield* call("GET", address)).status, 400)

      const control = (sent: object) => call("POST", `${origin}/control/faults`, sent)
      const stuck = { vendor: "brevo", fault: { kind: "import", fate: "stuck" }, times: 1 }
      assert.strictEqual((yield* control([stuck, { kind: "imports_take", millis: 0 }])).status, 200)
      assert.strictEqual((yield* control({ ...stuck, fault: { kind: "import", fate: "odd" } })).status, 400)
      yield* call("POST", `${api}/contacts/import`, body)
      assert.include((yield* call("GET", `${api}/processes/2`)).text, "in_process")
      assert.include((yield* call("GET", `${origin}/control/`)).text, '"mails":1')
    }),
  )
})

describe("in process", () => {
  it.effect("an import's report is at the vendor's own host, where the API is", () =>
    Effect.gen(function* () {
      const client = httpClient(yield* sandboxOf())
      const api = "https://api.brevo.com/v3"
      yield* client.post(`${api}/contacts/import`, { headers: apiKey, body: jsonBody(body) })
      yield* TestClock.adjust("1 second")
      const text = (address: string, headers = {}) =>
        Effect.flatMap(client.get(address, { headers }), (response) => response.text)
      const process: Body = JSON.parse(yield* text(`${api}/processes/1`, apiKey))
      assert.strictEqual(process.info.import.invalid_emails, "https://api.brevo.com/reports/1/invalid_emails.csv")
      assert.strictEqual(yield* text(process.info.import.invalid_emails), "EMAIL\nno address\n")
    }),
  )
})
