/** Credentials: the token is asked for once, renewed in time, and says whose it is and what it may do. */
import { assert, describe, it } from "@effect/vitest"
import { CurrentLimiters, type Endpoint, makeLimiters, type Reader } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/encoding/Base64Url"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { Auth0Config } from "../src/config.ts"
import { source } from "../src/index.ts"
import { endpoint, noState, request } from "./tenant.ts"

const jwt = (claims: unknown) => `${Encoding.encode("{}")}.${Encoding.encode(JSON.stringify(claims))}.test-signature`

interface Script {
  /** The nth answer of the token endpoint. */
  readonly token?: (nth: number) => Response | "slow"
  /** Whether the API takes this token, the nth that was given out. */
  readonly accepts?: (nth: number, call: number) => boolean
  readonly scope?: string
  readonly expiresIn?: unknown
}

const tenant = (script: Script = {}, over: Partial<typeof Auth0Config.Type> = {}, at: Partial<Endpoint> = {}) =>
  Effect.gen(function* () {
    const seen = { tokens: 0, calls: 0, hosts: new Set<string>(), bodies: [] as string[] }
    const issue = (): Response =>
      Response.json({
        access_token: jwt({
          iss: "https://acme.example.com/",
          aud: "https://acme.example.com/api/v2/",
          nth: seen.tokens,
        }),
        token_type: "Bearer",
        ...(script.scope === "absent" ? {} : { scope: script.scope ?? "read:users" }),
        ...("expiresIn" in script ? { expires_in: script.expiresIn } : { expires_in: 86_400 }),
      })
    const client = HttpClient.make((sent, url) =>
      Effect.gen(function* () {
        seen.hosts.add(url.host)
        if (url.pathname.endsWith("/oauth/token")) {
          seen.tokens += 1
          if (sent.body._tag === "Uint8Array") seen.bodies.push(new TextDecoder().decode(sent.body.body))
          const answer = script.token?.(seen.tokens) ?? issue()
          if (answer === "slow") {
            yield* Effect.sleep("30 seconds")
            return HttpClientResponse.fromWeb(sent, issue())
          }
          return HttpClientResponse.fromWeb(sent, answer)
        }
        seen.calls += 1
        const nth = Number(/"nth":(\d+)/.exec(atob((sent.headers.authorization ?? "").split(".")[1] ?? ""))?.[1] ?? 0)
        const good = script.accepts?.(nth, seen.calls) ?? true
        const answer = good
          ? Response.json([])
          : Response.json({ statusCode: 401, message: "Invalid token" }, { status: 401 })
        return HttpClientResponse.fromWeb(sent, answer)
      }),
    )
    const config: typeof Auth0Config.Type = {
      domain: "acme.example.com",
      client_id: "test-client",
      client_secret: Redacted.make("test-secret"),
      plan: "private_cloud_10000",
      ...over,
    }
    const reader = yield* source
      .open(config, { ...endpoint, ...at })
      .pipe(
        Effect.provideService(HttpClient.HttpClient, client),
        Effect.provideService(CurrentLimiters, makeLimiters()),
        Effect.provide(noState),
      )
    return { reader, seen }
  })

const look = (reader: Reader) =>
  reader.find === undefined ? Effect.die("no find") : reader.find(request(), { field: "email", value: "a@example.com" })

describe("the access token", () => {
  it.effect("C14: is asked for once by many calls at once, and again shortly before it ends", () =>
    Effect.gen(function* () {
      const { reader, seen } = yield* tenant({ expiresIn: 86_400 })
      yield* Effect.forEach(Array.from({ length: 20 }), () => look(reader), { concurrency: "unbounded" })
      yield* TestClock.adjust("21 hours")
      yield* look(reader)
      assert.strictEqual(seen.tokens, 1)
      yield* TestClock.adjust("37 minutes")
      yield* look(reader)
      assert.strictEqual(seen.tokens, 2)
    }),
  )

  it.effect("C14: a short one is renewed a minute early, a very short one at half its time", () =>
    Effect.gen(function* () {
      for (const [seconds, kept, renewed] of [
        [300, 239, 2],
        [30, 14, 2],
      ] as const) {
        const { reader, seen } = yield* tenant({ expiresIn: seconds })
        yield* look(reader)
        yield* TestClock.adjust(`${kept} seconds`)
        yield* look(reader)
        assert.strictEqual(seen.tokens, 1)
        yield* TestClock.adjust("2 seconds")
        yield* look(reader)
        assert.strictEqual(seen.tokens, renewed)
      }
    }),
  )

  it.effect("C14: a clock that is set back keeps no token past its end", () =>
    Effect.gen(function* () {
      const { reader, seen } = yield* tenant({ expiresIn: 300 })
      yield* look(reader)
      yield* TestClock.setTime(-3_600_000)
      yield* TestClock.adjust("241 seconds")
      yield* look(reader)
      assert.strictEqual(seen.tokens, 2)
    }),
  )

  for (const expiresIn of [undefined, 0, -5, "soon"]) {
    it.effect(`C14: with expires_in ${expiresIn} it is kept until the API refuses it`, () =>
      Effect.gen(function* () {
        const { reader, seen } = yield* tenant({ expiresIn, accepts: (nth, call) => nth > 1 || call < 3 })
        yield* look(reader)
        yield* TestClock.adjust("2 days")
        yield* look(reader)
        assert.strictEqual(seen.tokens, 1)
        yield* look(reader)
        assert.strictEqual(seen.tokens, 2)
      }),
    )
  }

  it.effect("C14: a token endpoint that fails, throttles and is slow costs time and one token", () =>
    Effect.gen(function* () {
      const answers: ReadonlyArray<Response | "slow"> = [
        new Response(null, { status: 503 }),
        Response.json({ error: "too_many_requests" }, { status: 429, headers: { "retry-after": "20" } }),
        "slow",
      ]
      const { reader, seen } = yield* tenant({
        token: (nth) => answers[nth - 1] ?? new Response(null, { status: 500 }),
      })
      const fiber = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 5 }), () => look(reader), { concurrency: "unbounded" }),
      )
      yield* TestClock.adjust("5 minutes")
      yield* Fiber.join(fiber)
      assert.strictEqual(seen.tokens, 3)
    }),
  )

  it.effect("C13: one 401 renews once for all calls; a second ends as Unauthorized", () =>
    Effect.gen(function* () {
      const { reader, seen } = yield* tenant({ accepts: (nth) => nth > 1 })
      yield* Effect.forEach(Array.from({ length: 10 }), () => look(reader), { concurrency: "unbounded" })
      assert.strictEqual(seen.tokens, 2)
      assert.isAtMost(seen.calls, 20)
      const refused = yield* tenant({ accepts: () => false })
      const error = yield* Effect.flip(look(refused.reader))
      assert.strictEqual(error.reason._tag, "Unauthorized")
      assert.deepStrictEqual([refused.seen.tokens, refused.seen.calls], [2, 2])
    }),
  )

  it.effect("C13: a fixed token that is refused ends as Unauthorized at once", () =>
    Effect.gen(function* () {
      const { reader, seen } = yield* tenant({ accepts: () => false }, { token: Redacted.make("test-token") })
      const error = yield* Effect.flip(look(reader))
      assert.strictEqual(error.reason._tag, "Unauthorized")
      assert.deepStrictEqual([seen.tokens, seen.calls], [0, 1])
    }),
  )

  it.effect("auth0 trap 29: token and API are asked at one host, with the tenant's own audience", () =>
    Effect.gen(function* () {
      const audience = "https://acme.eu.auth0.example.com/api/v2/"
      const { reader, seen } = yield* tenant({}, { domain: "Login.Acme.example.com", audience })
      yield* look(reader)
      assert.deepStrictEqual([...seen.hosts], ["login.acme.example.com"])
      assert.deepStrictEqual(JSON.parse(seen.bodies[0] ?? ""), {
        grant_type: "client_credentials",
        client_id: "test-client",
        client_secret: "test-secret",
        audience,
      })
      const proxied = yield* tenant({}, {}, { baseUrl: "http://127.0.0.1:9/auth0" })
      yield* look(proxied.reader)
      assert.deepStrictEqual([...proxied.seen.hosts], ["127.0.0.1:9"])
      assert.include(proxied.seen.bodies[0] ?? "", "https://acme.example.com/api/v2/")
    }),
  )
})

describe("identity", () => {
  it.effect("is the tenant of the token's audience, not the custom domain that was asked", () =>
    Effect.gen(function* () {
      const { reader } = yield* tenant({}, { domain: "login.acme.example.com" })
      const identity = yield* reader.identify
      assert.deepInclude(identity, { account: "acme.example.com", granted: ["read:users"], findings: [] })
    }),
  )

  it.effect("S24: a missing read:users is an error, write scopes are a warning", () =>
    Effect.gen(function* () {
      const { reader } = yield* tenant({ scope: "read:clients update:users delete:users" })
      const { findings = [] } = yield* reader.identify
      assert.deepStrictEqual(
        findings.map(({ severity }) => severity),
        ["error", "warning"],
      )
      assert.include(findings[0]?.message, "read:users")
      assert.include(findings[1]?.message, "update:users, delete:users")
    }),
  )

  it.effect("auth0 trap 28: the scope that adds the users' provider tokens is warned about", () =>
    Effect.gen(function* () {
      const { reader } = yield* tenant({ scope: "read:users read:user_idp_tokens" })
      const { findings = [] } = yield* reader.identify
      assert.deepStrictEqual(
        findings.map(({ severity }) => severity),
        ["warning"],
      )
    }),
  )

  it.effect("a token that says nothing of itself is tried with a read of one user", () =>
    Effect.gen(function* () {
      const { reader, seen } = yield* tenant({ accepts: () => false }, { token: Redacted.make("opaque") })
      const error = yield* Effect.flip(reader.identify)
      assert.strictEqual(error.reason._tag, "Unauthorized")
      assert.strictEqual(seen.calls, 1)
    }),
  )

  it.effect("S01, S03: neither secret nor token is in any error", () =>
    Effect.gen(function* () {
      const { reader } = yield* tenant({
        token: () => Response.json({ error: "access_denied", error_description: "test-secret" }, { status: 401 }),
      })
      const error = yield* Effect.flip(look(reader))
      assert.strictEqual(error.reason._tag, "Unauthorized")
      assert.notInclude(`${JSON.stringify(error)} ${error.stack} ${error.message}`, "test-secret")
    }),
  )
})

describe("the config", () => {
  const decode = Schema.decodeUnknownEffect(Auth0Config)
  const good = { domain: "acme.eu.auth0.com", client_id: "test-client", client_secret: "test-secret" }

  for (const domain of [
    "evil.com/x?.auth0.com",
    "tenant.auth0.com#",
    "tenant.auth0.com.",
    " tenant.auth0.com",
    "https://tenant.auth0.com",
    "tenant.auth0.com/",
    "me@tenant.auth0.com",
    "tenant.auth0.com:443",
    "tenant.auth0。com",
    "2130706433",
    "0177.0.0.1",
    "tenant..auth0.com",
    "",
  ]) {
    it.effect(`S10: the domain ${JSON.stringify(domain)} is refused`, () =>
      Effect.gen(function* () {
        const result = yield* Effect.result(decode({ ...good, domain }))
        assert.strictEqual(result._tag, "Failure")
      }),
    )
  }

  it.effect("takes an application or a token, and says so where there is neither", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* decode(good)).plan, "free")
      yield* decode({ domain: good.domain, token: "test-token" })
      for (const half of [{ domain: good.domain }, { domain: good.domain, client_id: "x" }]) {
        const error = yield* Effect.flip(decode(half))
        assert.include(error.message, "client_id and client_secret")
      }
    }),
  )
})
