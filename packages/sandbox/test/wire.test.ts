/** Faults as a client meets them: over a socket, and in process under a TestClock. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { jsonUnsafe as jsonBody } from "effect/http/HttpBody"
import type { HttpClient } from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as TestClock from "effect/testing/TestClock"
import { credentials, environment, type FaultKind, httpClient, type Sandbox, serve } from "../src/index.ts"
import { apiKey, ask, type Body, sandboxOf } from "./ask.ts"

const contact = { email: "a@example.com", ext_id: "auth0|a" }

const fault = (sandbox: Sandbox, kind: FaultKind) =>
  sandbox.control.faults.add({ vendor: "brevo", fault: kind, times: 1, access: "write" })

interface Outcome {
  readonly status: number
  readonly text: string
}

const overSocket = (origin: string, timeout = 5_000): Promise<Outcome | "failed"> =>
  fetch(`${origin}/brevo/v3/contacts`, {
    method: "POST",
    headers: { ...apiKey, "content-type": "application/json" },
    body: JSON.stringify(contact),
    signal: AbortSignal.timeout(timeout),
  }).then(
    (response) =>
      response.text().then(
        (text) => ({ status: response.status, text }),
        () => "failed" as const,
      ),
    () => "failed" as const,
  )

const post = (client: HttpClient): Effect.Effect<Outcome, HttpClientError> =>
  client
    .post("https://api.brevo.com/v3/contacts", { headers: apiKey, body: jsonBody(contact) })
    .pipe(Effect.flatMap((response) => Effect.map(response.text, (text) => ({ status: response.status, text }))))

describe("over a socket", () => {
  const cases: ReadonlyArray<{ title: string; kind: FaultKind; outcome: number | "failed"; applied: boolean }> = [
    { title: "cut before", kind: { kind: "cut", when: "before" }, outcome: "failed", applied: false },
    { title: "cut after", kind: { kind: "cut", when: "after" }, outcome: "failed", applied: true },
    { title: "C01: cut in the body", kind: { kind: "cut", when: "after", bytes: 3 }, outcome: "failed", applied: true },
    { title: "500 before", kind: { kind: "error", status: 500, when: "before" }, outcome: 500, applied: false },
    { title: "500 after", kind: { kind: "error", status: 500, when: "after" }, outcome: 500, applied: true },
    { title: "C09: 429", kind: { kind: "throttle", resetSeconds: 9 }, outcome: 429, applied: false },
    { title: "malformed", kind: { kind: "malformed" }, outcome: 200, applied: true },
    { title: "C04: truncated", kind: { kind: "truncated" }, outcome: 201, applied: true },
  ]
  for (const { title, kind, outcome, applied } of cases) {
    it.live(`${title}: the client sees ${outcome}, the write is ${applied ? "" : "not "}applied`, () =>
      Effect.gen(function* () {
        const sandbox = yield* sandboxOf()
        const { origin } = yield* serve(sandbox, 0)
        fault(sandbox, kind)
        const seen = yield* Effect.promise(() => overSocket(origin))
        assert.strictEqual(seen === "failed" ? seen : seen.status, outcome)
        assert.strictEqual(sandbox.control.contacts().length, applied ? 1 : 0)
        if (kind.kind === "malformed" || kind.kind === "truncated") {
          assert.throws(() => JSON.parse(seen === "failed" ? "" : seen.text), SyntaxError)
        }
        const again = yield* Effect.promise(() => overSocket(origin))
        assert.strictEqual(again === "failed" ? again : again.status, applied ? 400 : 201)
      }),
    )
  }

  it.live("C07: a slow body comes whole to who waits and not at all to who does not", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const { origin } = yield* serve(sandbox, 0)
      fault(sandbox, { kind: "slow", millis: 60 })
      const patient = yield* Effect.promise(() => overSocket(origin))
      assert.deepStrictEqual(patient, { status: 201, text: '{"id":1}' })
      fault(sandbox, { kind: "slow", millis: 60_000 })
      assert.strictEqual(yield* Effect.promise(() => overSocket(origin, 50)), "failed")
      fault(sandbox, { kind: "stall", millis: 60_000 })
      assert.strictEqual(yield* Effect.promise(() => overSocket(origin, 50)), "failed")
    }),
  )

  it.live("is switched by its control routes, and refuses what it does not know", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf({ users: 5 })
      const { origin } = yield* serve(sandbox, 0)
      const control = (method: string, path: string, body?: unknown) =>
        Effect.promise(() =>
          fetch(`${origin}/control${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }),
        )
      const json = (response: Response) => Effect.promise((): Promise<Body> => response.json())
      const rule = { vendor: "brevo", fault: { kind: "throttle" }, times: 1 }
      const switched = yield* control("POST", "/faults", [
        rule,
        { kind: "expired_tokens" },
        { kind: "index_lag", millis: 5 },
        { kind: "changes", plan: { every: 1 } },
      ])
      assert.deepStrictEqual(yield* json(switched), { faults: [{ rule, hits: 0 }] })
      assert.strictEqual((yield* control("POST", "/faults", { vendor: "brevo", fault: { kind: "boom" } })).status, 400)
      const users = { upsert: [{ user_id: "auth0|x", email: "x@example.com" }], delete: [sandbox.control.userId(0)] }
      assert.strictEqual((yield* control("POST", "/users", users)).status, 200)
      assert.strictEqual((yield* control("POST", "/users", { upsert: [{}] })).status, 400)
      assert.strictEqual((yield* json(yield* control("GET", "/users"))).length, 5)
      assert.strictEqual(
        yield* Effect.promise(() => overSocket(origin).then((seen) => seen !== "failed" && seen.status)),
        429,
      )
      yield* control("DELETE", "/faults")
      yield* Effect.promise(() => overSocket(origin))
      assert.strictEqual((yield* json(yield* control("GET", "/contacts")))[0].email, contact.email)
      assert.strictEqual((yield* json(yield* control("GET", "/journal")))[0].key, "auth0|a")
      assert.strictEqual((yield* control("POST", "/reset")).status, 204)
      const summary = yield* json(yield* control("GET", "/"))
      assert.deepInclude(summary, { users: 5, contacts: 0, writes: 0, unmodelled: [] })
    }),
  )

  it.live("frees its port at the end of its scope and says when one is taken", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const port = yield* Effect.scoped(Effect.map(serve(sandbox, 0), (listening) => listening.port))
      yield* serve(sandbox, port)
      const taken = yield* Effect.flip(serve(sandbox, port))
      assert.strictEqual(taken._tag, "ListenError")
    }),
  )
})

describe("in process", () => {
  it.effect("answers at the vendors' own hosts and below any origin", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const client = httpClient(sandbox)
      assert.strictEqual((yield* post(client)).status, 201)
      const env = environment("http://sandbox.test")
      const below = yield* client.get(`${env.BREVO_BASE_URL}/account`, { headers: apiKey })
      assert.strictEqual(below.status, 200)
      assert.deepInclude(yield* below.json, { companyName: "Sandbox sandbox" })
      const token = yield* client.post(`https://${env.AUTH0_DOMAIN}/oauth/token`, {
        body: jsonBody({
          grant_type: "client_credentials",
          client_id: env.AUTH0_CLIENT_ID,
          client_secret: env.AUTH0_CLIENT_SECRET,
          audience: `https://${env.AUTH0_DOMAIN}/api/v2/`,
        }),
      })
      assert.strictEqual(token.status, 200)
      assert.strictEqual(env.BREVO_API_KEY, credentials.apiKey)
    }),
  )

  it.effect("C01: a cut is a TransportError before the answer and a DecodeError in its body", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const client = httpClient(sandbox)
      fault(sandbox, { kind: "cut", when: "after" })
      assert.strictEqual((yield* Effect.flip(post(client))).reason._tag, "TransportError")
      assert.strictEqual(sandbox.control.contacts().length, 1)
      fault(sandbox, { kind: "cut", when: "before", bytes: 3 })
      assert.strictEqual((yield* Effect.flip(post(client))).reason._tag, "TransportError")
      fault(sandbox, { kind: "cut", when: "after", bytes: 3 })
      assert.strictEqual((yield* Effect.flip(post(client))).reason._tag, "DecodeError")
    }),
  )

  it.effect("takes time on the Effect clock only", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const client = httpClient(sandbox, { latencyMillis: 20 })
      fault(sandbox, { kind: "slow", millis: 1_000 })
      const fiber = yield* Effect.forkChild(post(client))
      yield* TestClock.adjust(10)
      assert.strictEqual(sandbox.control.contacts().length, 1)
      yield* TestClock.adjust(1_009)
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* Fiber.join(fiber)).status, 201)
    }),
  )

  it.effect("a storm ends after its hits or its time; odds are seeded", () =>
    Effect.gen(function* () {
      const sandbox = yield* sandboxOf()
      const status = () => ask(sandbox, "GET", "/brevo/account", { headers: apiKey }).status
      sandbox.control.faults.add({ vendor: "brevo", fault: { kind: "throttle" }, forMillis: 60_000 })
      assert.deepStrictEqual([status(), status()], [429, 429])
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(status(), 200)
      const storm = Effect.map(sandboxOf({ seed: 9 }), (seeded) => {
        seeded.control.faults.add({ vendor: "brevo", fault: { kind: "throttle" }, probability: 0.5 })
        return Array.from({ length: 40 }, () => ask(seeded, "GET", "/brevo/account", { headers: apiKey }).status)
      })
      const [first, second] = [yield* storm, yield* storm]
      assert.deepStrictEqual(first, second)
      assert.sameMembers([...new Set(first)], [200, 429])
    }),
  )
})
