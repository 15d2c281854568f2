/** `--debug`: what is shown of a call, and what never is. */

import { assert, describe, it } from "@effect/vitest"
import { CurrentAttempt } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { maskPath, type SeenCall, watched } from "../src/node/calls.ts"
import { renderCall } from "../src/render/calls.ts"
import { plain } from "../src/render/text.ts"

const page = { width: 80, style: plain }
const request = HttpClientRequest.put("https://api.example.com/v3/contacts/lovelace?identifierType=ext_id&q=ada").pipe(
  HttpClientRequest.setHeader("api-key", "test-secret"),
  HttpClientRequest.bodyJsonUnsafe({ email: "ada@example.com" }),
)

const seen = Effect.fnUntraced(function* (client: HttpClient.HttpClient) {
  const calls: Array<SeenCall> = []
  const watching = watched(client, (call) => Effect.sync(() => void calls.push(call)))
  yield* watching
    .execute(request)
    .pipe(Effect.provideService(CurrentAttempt, { call: "contacts.update", attempt: 2 }), Effect.exit)
  return calls.map((call) => renderCall(call, page))
})

const answering = (headers: Record<string, string>) =>
  HttpClient.make((sent) =>
    Effect.succeed(
      HttpClientResponse.fromWeb(sent, new Response('{"email":"ada@example.com"}', { status: 429, headers })),
    ),
  )

describe("a call as --debug shows it", () => {
  it.effect("has method, path, status, attempt, request id and limits; no query, secret or body", () =>
    Effect.gen(function* () {
      const [line, ...more] = yield* seen(
        answering({ "x-request-id": "req-1", "x-ratelimit-remaining": "0", date: "now" }),
      )
      assert.deepStrictEqual(more, [])
      assert.strictEqual(
        line,
        "debug  PUT     429  api.example.com/v3/contacts/***  0 ms  contacts.update, attempt 2, request id req-1, x-ratelimit-remaining 0",
      )
    }),
  )

  it.effect("does not repeat headers that hold more than a number, a time or an id", () =>
    Effect.gen(function* () {
      const [line] = yield* seen(answering({ "x-request-id": "ada@example.com", "x-ratelimit-reset": "<b>Ada" }))
      assert.include(line, "request id ***, x-ratelimit-reset ***")
    }),
  )

  it.effect("says why there was no answer, by its code", () =>
    Effect.gen(function* () {
      const cause = Object.assign(new Error("connect to ada@example.com"), { code: "ECONNREFUSED" })
      const failing = HttpClient.make((sent) =>
        Effect.fail(
          new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request: sent, cause }) }),
        ),
      )
      const [line] = yield* seen(failing)
      assert.include(line, "PUT     ECONNREFUSED  api.example.com/v3/contacts/***")
      assert.notInclude(line, "ada")
    }),
  )

  it("masks what may name a record: letters alone can be a person's name", () => {
    assert.strictEqual(maskPath("/api/v2/users/auth0%7C123"), "/api/v2/users/***")
    assert.strictEqual(maskPath("/v3/contacts/ada%40example.com"), "/v3/contacts/***")
    assert.strictEqual(maskPath("/v3/contacts/lovelace"), "/v3/contacts/***")
    assert.strictEqual(
      maskPath("/services/data/v62.0/jobs/ingest/750xx000000001/batches"),
      "/services/data/v62.0/jobs/ingest/***/batches",
    )
  })
})
