/** Private Key JWT: a tenant that verifies lets the application in by its key, and by nothing that Auth0 would refuse. */
import { generateKeyPairSync, type KeyObject } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { CurrentLimiters, makeLimiters, type SourceError } from "@sluice/core"
import { credentials, httpClient, makeSandbox, type Sandbox, type SandboxOptions, tenantDomain } from "@sluice/sandbox"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Auth0Config } from "../src/config.ts"
import { source } from "../src/index.ts"
import { endpoint, noState } from "./tenant.ts"

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
const another = generateKeyPairSync("rsa", { modulusLength: 2048 })

const spki = (key: KeyObject) => key.export({ type: "spki", format: "pem" }).toString()
const pkcs8 = (key: KeyObject) => Redacted.make(key.export({ type: "pkcs8", format: "pem" }).toString())

const tenant = (options: Partial<SandboxOptions> = {}) =>
  makeSandbox({ users: 3, seed: 7, limits: "off", clientKey: { publicKey: spki(publicKey) }, ...options })

/** No waits between attempts. */
const atOnce = Effect.provideService(Random.Random, { nextDoubleUnsafe: () => 0, nextIntUnsafe: () => 0 })

const signedIn = (sandbox: Sandbox, over: Partial<Auth0Config> = {}) => {
  const { domain = tenantDomain("sandbox"), ...rest } = over
  return source
    .open(
      { domain, client_id: credentials.clientId, private_key: pkcs8(privateKey), plan: "private_cloud_10000", ...rest },
      { ...endpoint, baseUrl: "https://sandbox.example.com/auth0" },
    )
    .pipe(
      Effect.flatMap(({ identify }) => identify),
      Effect.provideService(HttpClient.HttpClient, httpClient(sandbox)),
      Effect.provideService(CurrentLimiters, makeLimiters()),
      Effect.provide(noState),
      atOnce,
      Effect.scoped,
    )
}

/** Our clock, not the tenant's, shows another time. */
const clockAhead =
  (millis: number) =>
  <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.clockWith((clock) => {
      const currentTimeMillisUnsafe = () => clock.currentTimeMillisUnsafe() + millis
      const currentTimeMillis = Effect.sync(currentTimeMillisUnsafe)
      return Effect.provideService(self, Clock.Clock, { ...clock, currentTimeMillisUnsafe, currentTimeMillis })
    })

const refusal = (effect: Effect.Effect<unknown, SourceError>) => Effect.map(Effect.flip(effect), ({ reason }) => reason)

describe("private_key", () => {
  for (const algorithm of ["RS256", "RS384", "PS256"] as const) {
    it.effect(`lets an application in by ${algorithm}`, () =>
      Effect.gen(function* () {
        const sandbox = yield* tenant({ clientKey: { publicKey: spki(publicKey), algorithm } })
        const { account } = yield* signedIn(sandbox, { signing_algorithm: algorithm })
        assert.strictEqual(account, "sandbox.auth0.example.com")
      }),
    )
  }

  it.effect("auth0 trap 30: after a lost answer the token is asked for by another assertion", () =>
    Effect.gen(function* () {
      const sandbox = yield* tenant()
      const fault = { kind: "cut", when: "after" } as const
      sandbox.control.faults.add({ vendor: "auth0", path: "/oauth/token", fault, times: 2 })
      const { account } = yield* signedIn(sandbox)
      assert.strictEqual(account, "sandbox.auth0.example.com")
      assert.strictEqual(sandbox.counters.requests.auth0.reads, 3)
    }),
  )

  it.effect("auth0 trap 30: a clock that is some minutes ahead is no obstacle; one that is far off is named", () =>
    Effect.gen(function* () {
      const sandbox = yield* tenant()
      assert.strictEqual((yield* signedIn(sandbox).pipe(clockAhead(180_000))).account, "sandbox.auth0.example.com")
      for (const millis of [3_600_000, -3_600_000]) {
        const reason = yield* refusal(signedIn(sandbox).pipe(clockAhead(millis)))
        assert.strictEqual(reason._tag, "Unauthorized")
        assert.include(reason.message, "clock is right")
      }
    }),
  )

  it.effect(
    "auth0 trap 30: a key that is not registered, or signs otherwise, is Unauthorized and says what to look at",
    () =>
      Effect.gen(function* () {
        const sandbox = yield* tenant()
        for (const over of [
          { private_key: pkcs8(another.privateKey) },
          { signing_algorithm: "PS256" as const },
          { domain: "other.auth0.example.com" },
        ]) {
          const reason = yield* refusal(signedIn(sandbox, over))
          assert.strictEqual(reason._tag, "Unauthorized")
          assert.match(reason.message, /public half.*signing_algorithm.*clock/)
        }
      }),
  )

  it.effect("a key that is none is Misconfigured at private_key, before any call", () =>
    Effect.gen(function* () {
      const sandbox = yield* tenant()
      const private_key = Redacted.make("/run/secrets/key.pem")
      const reason = yield* refusal(signedIn(sandbox, { private_key }))
      assert.deepInclude(reason, { _tag: "Misconfigured", path: ["private_key"] })
      assert.strictEqual(sandbox.counters.requests.auth0.reads, 0)
    }),
  )

  it("beside a client_secret, or without a client_id, is a problem of the file", () => {
    const decode = Schema.decodeUnknownResult(Auth0Config)
    const domain = "acme.example.com"
    assert.strictEqual(decode({ domain, client_id: "a", private_key: "b" })._tag, "Success")
    for (const config of [
      { domain, client_id: "a", private_key: "b", client_secret: "c" },
      { domain, private_key: "b" },
      { domain, client_id: "a" },
    ]) {
      assert.strictEqual(decode(config)._tag, "Failure")
    }
  })
})
