/** Private Key JWT at the fake tenant: what it refuses is what Auth0's documentation says it refuses. */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { credentials } from "../src/options.ts"
import { ask, sandboxOf, tokenRequest } from "./ask.ts"

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
const another = generateKeyPairSync("rsa", { modulusLength: 2048 })

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")

const assertion = (claims: object, { key = privateKey, alg = "RS256" }: { key?: KeyObject; alg?: string } = {}) => {
  const signed = `${part({ alg, typ: "JWT" })}.${part(claims)}`
  return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`
}

const claims = (over: object = {}) => ({
  iss: credentials.clientId,
  sub: credentials.clientId,
  aud: "https://sandbox.auth0.example.com/",
  exp: 1060,
  jti: "test-1",
  ...over,
})

const { client_secret: _, ...withoutSecret } = tokenRequest()

const request = (jwt: string, over: object = {}) => ({
  ...withoutSecret,
  client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
  client_assertion: jwt,
  ...over,
})

describe("an assertion", () => {
  it.effect("auth0 trap 30: is let in once; the next one with an id of its own is let in again", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({
        clientKey: { publicKey: publicKey.export({ type: "spki", format: "pem" }).toString() },
      })
      yield* TestClock.setTime(1_000_000)
      const token = (body: object) => ask(sandbox, "POST", "/auth0/oauth/token", { body })
      const first = request(assertion(claims()))
      assert.strictEqual(token(first).status, 200)
      assert.deepInclude(token(first), { status: 401 })
      assert.strictEqual(token(request(assertion(claims({ jti: "test-2" })))).status, 200)
    }),
  )

  const refused: ReadonlyArray<readonly [string, object, RegExp]> = [
    ["of another key", request(assertion(claims(), { key: another.privateKey })), /signature/],
    ["by another algorithm", request(assertion(claims(), { alg: "none" })), /alg/],
    [
      "for the token endpoint",
      request(assertion(claims({ aud: "https://sandbox.auth0.example.com/oauth/token" }))),
      /aud/,
    ],
    ["for the host without its slash", request(assertion(claims({ aud: "https://sandbox.auth0.example.com" }))), /aud/],
    ["of another client", request(assertion(claims({ iss: "other" }))), /iss/],
    ["that has expired", request(assertion(claims({ exp: 1000 }))), /expired/],
    ["without an end", request(assertion(claims({ exp: undefined }))), /expired/],
    ["for more than five minutes", request(assertion(claims({ exp: 1301 }))), /too long/],
    ["issued more than ten seconds ahead", request(assertion(claims({ iat: 1011 }))), /not valid yet/],
    ["without an id", request(assertion(claims({ jti: undefined }))), /jti/],
    ["of another type", request(assertion(claims()), { client_assertion_type: "x" }), /type/],
    ["beside the secret", request(assertion(claims()), { client_secret: credentials.clientSecret }), /assertion/],
    ["that is missing", tokenRequest(), /assertion/],
    ["that is no JWT", request("not.a.token"), /alg/],
  ]
  for (const [name, body, says] of refused) {
    it.effect(`auth0 trap 30: ${name} is refused`, () =>
      Effect.gen(function* () {
        const key = publicKey.export({ type: "spki", format: "pem" }).toString()
        const sandbox = yield* sandboxOf({ clientKey: { publicKey: key } })
        yield* TestClock.setTime(1_000_000)
        const answer = ask(sandbox, "POST", "/auth0/oauth/token", { body })
        assert.strictEqual(answer.status, 401)
        assert.strictEqual(answer.body.error, "invalid_client")
        assert.match(answer.body.error_description, says)
      }),
    )
  }
})
