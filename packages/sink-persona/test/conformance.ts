/** Persona's side of the conformance suites: the sandbox's environment, which refuses and defers single accounts on demand. */
import type { SinkConformance } from "@sluice/core/testing"
import { credentials, httpClient, makeSandbox, type PersonaAccount, type Sandbox, userType } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import type { JsonObject } from "effect/Schema"
import { type PersonaConfig, sink } from "../src/index.ts"

/** Answers writes of marked accounts itself, which the sandbox has no switch for. */
const withMarks = (sandbox: Sandbox, bad: ReadonlySet<string>, waiting: Map<string, number>) => {
  const client = httpClient(sandbox)
  return HttpClient.make((request) => {
    const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
    const isOf = (key: string) => body.includes(`:"${key}"`)
    const answer = (status: number, title: string) => {
      // Quotes the row, as Persona does.
      const details = `${/"name-first":"[^"]*"/.exec(body)?.[0]} is not acceptable`
      const errors = [{ title, details }]
      return Effect.succeed(HttpClientResponse.fromWeb(request, Response.json({ errors }, { status })))
    }
    const deferred = [...waiting].find(([key, times]) => times > 0 && isOf(key))
    if (deferred !== undefined) {
      waiting.set(deferred[0], deferred[1] - 1)
      return answer(409, "Stale object error")
    }
    return [...bad].some(isOf) ? answer(422, "Record invalid") : client.execute(request)
  })
}

/** In the columns of a row. */
const columnsOf = ({ attributes, fields, tags }: PersonaAccount): JsonObject =>
  JSON.parse(
    JSON.stringify({
      ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name.replaceAll("-", "_"), value])),
      ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [`fields.${name}`, value])),
      ...(tags.length === 0 ? {} : { tags }),
    }),
  )

const accounts: SinkConformance<PersonaConfig> = {
  sink,
  name: "accounts",
  config: { api_key: credentials.personaKey },
  object: "accounts",
  options: { account_type: userType.id },
  key: "reference_id",
  texts: ["name_first", "fields.company"],
  typed: [
    "birthdate",
    "fields.email_verified",
    "fields.logins_count",
    "fields.risk_score",
    "fields.last_login",
    "fields.plan",
    "fields.interests",
  ],
  json: "fields.app_metadata",
  emptyClears: true,
  throttled: {
    status: 429,
    body: { errors: [{ title: "Rate limit exceeded", details: "Too many requests" }] },
    headers: { "ratelimit-reset": "7" },
  },
  exhausted: { status: 429, body: { errors: [{ title: "Quota exceeded", details: "" }] } },
  destination: () =>
    Effect.map(makeSandbox({ users: 0, seed: 1, limits: "high" }), (sandbox) => {
      const bad = new Set<string>()
      const waiting = new Map<string, number>()
      const { persona } = sandbox.control
      return {
        client: withMarks(sandbox, bad, waiting),
        stored: () => new Map(persona.accounts().map((account) => [account.referenceId ?? "", columnsOf(account)])),
        total: () => persona.accounts().length,
        writes: () => persona.journal().length,
        refuse: (value: string) => void bad.add(value),
        defer: (value: string, times: number) => void waiting.set(value, times),
      }
    }),
}

/** Persona has no deletion but redaction. */
const without = ["in a pipeline: P01: a deletion is sent once and what is gone already is fine"]

export const suites = [{ ...accounts, without }]
