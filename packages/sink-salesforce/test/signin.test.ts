/** Signing in: three ways, one session for all calls, and a token that goes nowhere but to Salesforce. */
import { assert, describe, it } from "@effect/vitest"
import { type Api, CurrentLimiters, makeLimiters, PluginState, SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Headers from "effect/http/Headers"
import * as Schema from "effect/Schema"
import nock from "nock"
import { SalesforceConfig } from "../src/index.ts"
import { makeSessions } from "../src/signin/session.ts"
import {
  connect,
  created,
  HOST,
  memory,
  ORGANIZATION,
  onMovingClock,
  open,
  opening,
  row,
  salesforce,
  services,
  signIn,
  unfinished,
  when,
  write,
} from "./vendor.ts"

const COLLECTIONS = "PATCH /composite/sobjects/Contact/Auth0_Id__c"
const ended = [{ message: "Session expired or invalid", errorCode: "INVALID_SESSION_ID" }]

const reasonOf = <A, R>(effect: Effect.Effect<A, SinkError | Schema.SchemaError, R>) =>
  Effect.flip(effect).pipe(Effect.map((error) => (error instanceof SinkError ? error.reason : undefined)))

describe("the ways to sign in", () => {
  it.effect("client credentials: at the My Domain, and the organization is the account", () =>
    Effect.gen(function* () {
      const sent = salesforce(signIn())
      const connection = yield* connect()
      assert.deepStrictEqual(yield* connection.identify, { account: ORGANIZATION, label: "acme.my.salesforce.com" })
      assert.deepStrictEqual(Object.fromEntries(new URLSearchParams(sent[0]?.text)), {
        grant_type: "client_credentials",
        client_id: "test-client",
        client_secret: "test-secret",
      })
    }).pipe(services),
  )

  it.effect("a private key: an assertion of three minutes for the user, signed by it", () =>
    Effect.gen(function* () {
      const pair = yield* Effect.promise(() =>
        crypto.subtle.generateKey(
          {
            name: "RSASSA-PKCS1-v1_5",
            modulusLength: 2048,
            publicExponent: new Uint8Array([1, 0, 1]),
            hash: "SHA-256",
          },
          true,
          ["sign", "verify"],
        ),
      )
      const pkcs8 = yield* Effect.promise(() => crypto.subtle.exportKey("pkcs8", pair.privateKey))
      const private_key = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(pkcs8).toString("base64")}\n-----END PRIVATE KEY-----`
      const host = "https://test.salesforce.com"
      const sent = salesforce({ ...signIn(), host })
      const connection = yield* connect({
        login_url: host,
        username: "sync@acme.example.com",
        private_key,
        client_secret: "unused-secret",
      })
      yield* connection.identify
      const form = new URLSearchParams(sent[0]?.text)
      assert.strictEqual(form.get("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer")
      const [header = "", claims = "", signature = ""] = (form.get("assertion") ?? "").split(".")
      const read = JSON.parse(Buffer.from(claims, "base64url").toString())
      assert.strictEqual(read.iss, "test-client")
      assert.strictEqual(read.sub, "sync@acme.example.com")
      assert.strictEqual(read.aud, host)
      assert.isAtMost(read.exp, 180)
      const isSigned = yield* Effect.promise(() =>
        crypto.subtle.verify(
          "RSASSA-PKCS1-v1_5",
          pair.publicKey,
          Buffer.from(signature, "base64url"),
          Buffer.from(`${header}.${claims}`),
        ),
      )
      assert.isTrue(isSigned)
    }).pipe(services),
  )

  const refreshing = { login_url: HOST, client_secret: "test-secret", refresh_token: "first-token" }
  const formOf = (text: string | undefined) => new URLSearchParams(text).get("refresh_token")

  it.effect("a refresh token that rotates is kept before its session is used, and the next run begins with it", () =>
    Effect.gen(function* () {
      const state = memory()
      const opened = (config = refreshing) =>
        Effect.gen(function* () {
          const connection = yield* connect(config)
          yield* connection.identify
        }).pipe(
          Effect.provideService(PluginState, state.service),
          Effect.provideService(CurrentLimiters, makeLimiters()),
          Effect.provide(FetchHttpClient.layer),
        )
      const first = salesforce(signIn({ refresh_token: "second-token" }))
      yield* opened()
      const next = salesforce(signIn({ refresh_token: "third-token" }))
      yield* opened()
      assert.deepStrictEqual([formOf(first[0]?.text), formOf(next[0]?.text)], ["first-token", "second-token"])

      const anew = salesforce(signIn())
      yield* opened({ ...refreshing, refresh_token: "authorised-anew" })
      assert.strictEqual(formOf(anew[0]?.text), "authorised-anew")
    }),
  )

  it.effect("a refused sign-in is not tried again, and says what a person has to do", () =>
    Effect.gen(function* () {
      for (const [description, advice] of [
        ["expired access/refresh token", "authorise the app again"],
        ["user hasn't approved this consumer", "admin-approve"],
        ["audience is invalid", "test.salesforce.com"],
        ["ip restricted", "IP restrictions"],
      ] as const) {
        salesforce(when("POST /services/oauth2/token", 400, { error: "invalid_grant", error_description: description }))
        const reason = yield* reasonOf(Effect.flatMap(connect(), ({ identify }) => identify))
        assert.strictEqual(reason?._tag, "Unauthorized")
        assert.include(reason?.message, advice)
      }
    }).pipe(services),
  )

  it.effect("too many sign-ins wait an hour", () =>
    Effect.gen(function* () {
      salesforce(
        when("POST /services/oauth2/token", 400, {
          error: "login_rate_exceeded",
          error_description: "LOGIN_RATE_EXCEEDED",
        }),
      )
      const reason = yield* reasonOf(Effect.flatMap(connect(), ({ identify }) => identify))
      assert.deepInclude(reason, { _tag: "RateLimited", retryAfterMillis: 3_600_000 })
    }).pipe(services),
  )

  for (const [what, config, says] of [
    ["nothing to sign in with", { login_url: HOST, client_id: "a" }, "client_secret"],
    ["a private key of nobody", { login_url: HOST, client_id: "a", private_key: "k" }, "username"],
    [
      "two ways at once",
      { login_url: HOST, client_id: "a", private_key: "k", username: "u", refresh_token: "t" },
      "not both",
    ],
    [
      "client credentials at login.salesforce.com",
      { login_url: "https://login.salesforce.com", client_id: "a", client_secret: "s" },
      "My Domain",
    ],
  ] as const) {
    it.effect(`${what} is a mistake of the file`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Schema.decodeUnknownEffect(SalesforceConfig)(config))
        assert.include(error.message, says)
      }),
    )
  }
})

describe("the session", () => {
  it.effect("is asked for once, whatever the answer says of its life", () =>
    Effect.gen(function* () {
      const sent = salesforce(
        signIn({ expires_in: 0 }),
        ...opening("Contact").slice(1),
        when(COLLECTIONS, 200, [created("003000000000001AAA")]),
        when(COLLECTIONS, 200, [created("003000000000002AAA")]),
      )
      const writer = yield* open({ fields: ["Auth0_Id__c", "LastName"] })
      yield* writer.write({ id: "a", attempt: 1, rows: [row(1)] })
      yield* writer.write({ id: "b", attempt: 1, rows: [row(2)] })
      assert.strictEqual(sent.filter(({ call }) => call.endsWith("/token")).length, 1)
    }).pipe(services),
  )

  it.effect("salesforce trap 31, 33: four calls that find it ended renew it once, and each is sent again once", () =>
    Effect.gen(function* () {
      const sent = salesforce(
        ...opening("Contact"),
        ...[1, 2, 3, 4].map(() => when(COLLECTIONS, 401, ended)),
        signIn({ access_token: "another-session" }),
        ...[1, 2, 3, 4].map((n) => when(COLLECTIONS, 200, [created(`00300000000000${n}AAA`)])),
      )
      const writer = yield* open({ fields: ["Auth0_Id__c", "LastName"] })
      const outcomes = yield* Effect.forEach(
        [1, 2, 3, 4],
        (n) => writer.write({ id: `b${n}`, attempt: 1, rows: [row(n)] }),
        { concurrency: "unbounded" },
      )
      assert.deepStrictEqual(
        outcomes.flat().map(({ _tag }) => _tag),
        ["Delivered", "Delivered", "Delivered", "Delivered"],
      )
      assert.strictEqual(sent.filter(({ call }) => call.endsWith("/token")).length, 2)
      assert.strictEqual(sent.at(-1)?.headers.authorization, "Bearer another-session")
    }).pipe(services),
  )

  it.effect("salesforce trap 31: a call that is late to find the old one ended leaves the new one alone", () =>
    Effect.gen(function* () {
      let signedIn = 0
      const answer = { instance_url: HOST, id: `https://login.salesforce.com/id/${ORGANIZATION}/005000000000001AAA` }
      const tokens: Api = {
        call: (asked) => {
          const body = { ...answer, access_token: `session ${++signedIn}` }
          return Effect.orDie(asked.decode({ status: 200, headers: Headers.empty, body }))
        },
      }
      const sessions = makeSessions(tokens, { form: Effect.succeed({}) }, undefined)
      const first = yield* sessions.current
      yield* sessions.renew(first)
      const second = yield* sessions.current
      yield* sessions.renew(first)
      assert.strictEqual(yield* sessions.current, second)
      assert.strictEqual(signedIn, 2)
    }),
  )

  it.effect("that is refused again after it was renewed is the end", () =>
    Effect.gen(function* () {
      const sent = salesforce(
        ...opening("Contact"),
        when(COLLECTIONS, 401, ended),
        signIn(),
        when(COLLECTIONS, 401, ended),
      )
      const reason = yield* reasonOf(write([row(1)]))
      assert.strictEqual(reason?._tag, "Unauthorized")
      assert.strictEqual(sent.length, 6)
    }).pipe(services),
  )

  it.effect("is not renewed for a 401 that says the app may not use the API: that would never end", () =>
    Effect.gen(function* () {
      const says = "This session is not valid for use with the REST API"
      salesforce(...opening("Contact"), when(COLLECTIONS, 401, [{ errorCode: "INVALID_SESSION_ID", message: says }]))
      assert.strictEqual((yield* reasonOf(write([row(1)])))?._tag, "Unauthorized")
    }).pipe(services),
  )

  it.effect("salesforce trap 32: a trigger's own dead session, quoted for a row, renews nothing", () =>
    Effect.gen(function* () {
      const says = 'execution of AfterInsert caused by: {"errorCode":"INVALID_SESSION_ID"}'
      const failing = {
        success: false,
        errors: [{ statusCode: "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message: says }],
      }
      const sent = salesforce(...opening("Contact"), when(COLLECTIONS, 200, [failing]))
      const [outcome] = yield* write([row(1)])
      assert.deepInclude(outcome, { _tag: "Rejected", code: "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" })
      assert.strictEqual(sent.length, 4)
    }).pipe(services),
  )

  it.effect("salesforce trap 32: the same words with another status renew nothing either", () =>
    Effect.gen(function* () {
      const sent = salesforce(...opening("Contact"), when(COLLECTIONS, 400, ended))
      assert.strictEqual((yield* reasonOf(write([row(1)])))?._tag, "BatchRefused")
      assert.strictEqual(sent.filter(({ call }) => call.endsWith("/token")).length, 1)
    }).pipe(services),
  )

  it.effect("moves with the organization: calls go to the instance of the newest sign-in, in its version", () =>
    Effect.gen(function* () {
      const host = "https://acme-new.my.salesforce.com"
      const sent = salesforce(
        ...opening("Contact"),
        when(COLLECTIONS, 401, ended),
        signIn({ instance_url: host }),
        { ...when("GET /services/data/", 200, [{ version: "66.0" }]), host },
        {
          ...when("PATCH /services/data/v66.0/composite/sobjects/Contact/Auth0_Id__c", 200, [
            created("003000000000001AAA"),
          ]),
          host,
        },
      )
      yield* write([row(1)])
      assert.strictEqual(sent.at(-1)?.host, host)
    }).pipe(services),
  )

  for (const instance of [
    "https://acme.my.salesforce.com.evil.example.com",
    "http://acme.my.salesforce.com",
    "https://acme.my.salesforce.com@evil.example.com",
    "https://login.salesforce.com.evil.example.com/",
    "https://evil.example.com/acme.my.salesforce.com",
    "https://acme.my.salesforce.com:8443",
  ]) {
    it.effect(`goes nowhere but to Salesforce: not to ${instance}`, () =>
      Effect.gen(function* () {
        const sent = salesforce(signIn({ instance_url: instance }))
        const reason = yield* reasonOf(Effect.flatMap(connect(), ({ identify }) => identify))
        assert.strictEqual(reason?._tag, "Misconfigured")
        assert.strictEqual(sent.length, 1)
      }).pipe(services),
    )
  }

  it.effect("credentials go nowhere else either", () =>
    Effect.gen(function* () {
      const sent = salesforce()
      const reason = yield* reasonOf(connect({ login_url: "https://acme.my.salesforce.com.evil.example.com" }))
      assert.strictEqual(reason?._tag, "Misconfigured")
      assert.strictEqual(sent.length, 0)
      assert.isTrue(nock.isDone())
    }).pipe(services),
  )
})

describe("the version of the API", () => {
  it.effect("salesforce trap 42: is the newest that both sides know, asked without a token", () =>
    Effect.gen(function* () {
      const offered = (...list: ReadonlyArray<string>) =>
        when(
          "GET /services/data/",
          200,
          list.map((version) => ({ version })),
        )
      for (const [list, chosen] of [
        [["64.0", "65.0"], "65.0"],
        [["66.0", "67.0", "70.0"], "67.0"],
        [["71.0", "72.0"], "71.0"],
      ] as const) {
        const root = `/services/data/v${chosen}`
        const sent = salesforce(signIn(), offered(...list), when(`GET ${root}/sobjects/Contact/describe`, 404, []))
        yield* Effect.flip(open())
        assert.isUndefined(sent[1]?.headers.authorization)
      }
    }).pipe(services),
  )

  it.effect("salesforce trap 42: one that has ended says which key to change", () =>
    Effect.gen(function* () {
      const gone = [{ errorCode: "UNSUPPORTED_API_VERSION", message: "gone" }]
      salesforce(signIn(), when("GET /services/data/v40.0/sobjects/Contact/describe", 410, gone))
      const reason = yield* reasonOf(open({ config: { api_version: "40.0" } }))
      assert.strictEqual(reason?._tag, "Misconfigured")
      assert.include(reason?.message, "api_version")
    }).pipe(services),
  )
})

it.effect("an outage of the sign-in is not a refusal", () =>
  Effect.gen(function* () {
    salesforce(...Array.from({ length: 5 }, () => when("POST /services/oauth2/token", 503, "<html>")))
    const reason = yield* reasonOf(onMovingClock(Effect.flatMap(connect(), ({ identify }) => identify)))
    assert.strictEqual(reason?._tag, "Unavailable")
  }).pipe(unfinished),
)
