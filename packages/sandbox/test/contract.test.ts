/** Requests and answers of the fake tenant hold to Auth0's own description of its API, where that file is at hand. */
import { existsSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { ask, authorization, type Reply, sandboxOf } from "./ask.ts"

const contract = new URL("../../../../shared/contracts/auth0-management-subset.openapi.json", import.meta.url)
const reason = existsSync(contract) ? "" : " (skipped: ../shared/contracts is not here)"

const instant = (text: string) => !Number.isNaN(Date.parse(text)) && text.includes("T")

interface Contract {
  readonly answer: (path: string, status: number, method?: "get" | "post") => ValidateFunction
  /** The body that a path takes. */
  readonly body: (path: string) => ValidateFunction
  /** The schemas of the query parameters, by name. */
  readonly parameters: (path: string) => ReadonlyMap<string, ValidateFunction>
  /** Statuses that the description has. */
  readonly statuses: (path: string) => ReadonlyArray<string>
}

const load = (): Contract => {
  const api = JSON.parse(readFileSync(contract, "utf8"))
  const ajv = new Ajv2020({ strict: false, formats: { "date-time": instant, email: /^[^@\s]+@[^@\s]+$/, uri: true } })
  ajv.addSchema({ $id: "https://api.test/", components: api.components })
  const compiled = (schema: object) => {
    const absolute = JSON.stringify(schema).replaceAll('"#/components/', '"https://api.test/#/components/')
    return ajv.compile(JSON.parse(absolute))
  }
  const get = (path: string) => api.paths[path].get
  return {
    answer: (path, status, method = "get") =>
      compiled(api.paths[path][method].responses[status].content["application/json"].schema),
    body: (path) => compiled(api.paths[path].post.requestBody.content["application/json"].schema),
    parameters: (path) =>
      new Map(
        get(path)
          .parameters.filter((each: { in: string }) => each.in === "query")
          .map((each: { name: string; schema: object }) => [each.name, compiled(each.schema)]),
      ),
    statuses: (path) => Object.keys(get(path).responses),
  }
}

/** Query values are text on the wire and of their schema's type in the description. */
const typed = (text: string): unknown =>
  /^\d+$/.test(text) ? Number(text) : text === "true" ? true : text === "false" ? false : text

const queries: ReadonlyArray<{ readonly [name: string]: string }> = [
  {},
  { include_totals: "true", per_page: "100", page: "2" },
  { q: "created_at:[2024-01-01T00:00:00.000Z TO *]", search_engine: "v3", sort: "created_at:1", primary_order: "true" },
  { fields: "user_id,email", include_fields: "true", include_totals: "true" },
  { q: 'identities.connection:"github"', search_engine: "v3", include_totals: "true" },
]

describe.skipIf(reason !== "")(`Auth0's own contract${reason}`, () => {
  const prepare = Effect.gen(function* () {
    const sandbox = yield* sandboxOf({ users: 500 })
    const headers = authorization(sandbox)
    const get = (path: string, query = {}): Reply => ask(sandbox, "GET", `/auth0/api/v2${path}`, { query, headers })
    return { sandbox, get, contract: load() }
  })

  const holds = (validate: ValidateFunction, body: unknown) =>
    assert.isTrue(validate(body), JSON.stringify(validate.errors))

  it.effect("answers of GET /users, bare and with totals", () =>
    Effect.gen(function* () {
      const { get, contract } = yield* prepare
      const valid = contract.answer("/users", 200)
      const parameters = contract.parameters("/users")
      for (const query of queries) {
        for (const [name, value] of Object.entries(query)) {
          const parameter = parameters.get(name)
          assert.isDefined(parameter, name)
          if (parameter !== undefined) holds(parameter, typed(value))
        }
        const answer = get("/users", query)
        assert.strictEqual(answer.status, 200)
        holds(valid, answer.body)
      }
      assert.isFalse(valid({ users: "no list" }))
    }),
  )

  it.effect("every generated user, by id and by e-mail", () =>
    Effect.gen(function* () {
      const { sandbox, get, contract } = yield* prepare
      const [one, several] = [contract.answer("/users/{id}", 200), contract.answer("/users-by-email", 200)]
      for (const user of sandbox.control.users()) {
        holds(one, get(`/users/${encodeURIComponent(user.user_id)}`).body)
        holds(several, get("/users-by-email", { email: String(user.email) }).body)
      }
      assert.isFalse(one({ ...[...sandbox.control.users()][0], email_verified: "yes" }))
    }),
  )

  it.effect("export jobs, what they take and how they end", () =>
    Effect.gen(function* () {
      const { sandbox, get, contract } = yield* prepare
      const body = { format: "json", fields: [{ name: "user_id" }] }
      holds(contract.body("/jobs/users-exports"), body)
      const job = contract.answer("/jobs/{id}", 200)
      for (const flaw of [undefined, "failed"] as const) {
        if (flaw !== undefined) sandbox.control.faults.add({ vendor: "auth0", fault: { kind: "export", flaw } })
        const asked = { body, headers: authorization(sandbox) }
        const made = ask(sandbox, "POST", "/auth0/api/v2/jobs/users-exports", asked)
        holds(contract.answer("/jobs/users-exports", 200, "post"), made.body)
        holds(job, get(`/jobs/${made.body.id}`).body)
        yield* TestClock.adjust("3 seconds")
        holds(job, get(`/jobs/${made.body.id}`).body)
      }
      assert.include(contract.statuses("/jobs/{id}"), String(get("/jobs/job_0000000000000000").status))
    }),
  )

  it.effect("the statuses of refusals", () =>
    Effect.gen(function* () {
      const { sandbox, get, contract } = yield* prepare
      assert.include(contract.statuses("/users"), String(get("/users", { page: "10", per_page: "100" }).status))
      assert.include(contract.statuses("/users/{id}"), String(get("/users/nobody").status))
      sandbox.control.faults.add({ vendor: "auth0", fault: { kind: "throttle" }, times: 1 })
      assert.include(contract.statuses("/users"), String(get("/users").status))
      sandbox.control.expireTokens()
      assert.include(contract.statuses("/users"), String(get("/users").status))
    }),
  )
})
