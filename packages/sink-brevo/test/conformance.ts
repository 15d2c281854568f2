/** Brevo's side of the conformance suites: the sandbox's account, which refuses and defers single contacts on demand. */
import type { SinkConformance } from "@sluice/core/testing"
import { credentials, httpClient, lists, makeSandbox, type Sandbox } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { type BrevoConfig, sink } from "../src/index.ts"

/** Answers writes of marked contacts itself, which the sandbox has no switch for. */
const withMarks = (sandbox: Sandbox, bad: ReadonlySet<string>, waiting: Map<string, number>) => {
  const client = httpClient(sandbox)
  return HttpClient.make((request) => {
    const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
    const isOf = (key: string) => body.includes(`:"${key}"`)
    // Quotes the row, as Brevo does.
    const message = `${/"COMPANY":"[^"]*"/.exec(body)?.[0]} is not acceptable`
    const answer = (status: number, code: string) =>
      Effect.succeed(HttpClientResponse.fromWeb(request, Response.json({ code, message }, { status })))
    const deferred = [...waiting].find(([key, times]) => times > 0 && isOf(key))
    if (deferred !== undefined) {
      waiting.set(deferred[0], deferred[1] - 1)
      return answer(425, "too_early")
    }
    return [...bad].some(isOf) ? answer(400, "invalid_parameter") : client.execute(request)
  })
}

const makeDestination = (key: "ext_id" | "email") =>
  Effect.map(makeSandbox({ users: 0, seed: 1, limits: "high" }), (sandbox) => {
    const bad = new Set<string>()
    const waiting = new Map<string, number>()
    const { control } = sandbox
    return {
      client: withMarks(sandbox, bad, waiting),
      stored: () =>
        new Map(
          control.contacts().map((contact) => [contact[key] ?? "", JSON.parse(JSON.stringify(contact.attributes))]),
        ),
      total: () => control.contacts().length,
      writes: () => control.journal().length,
      refuse: (value: string) => void bad.add(value),
      defer: (value: string, times: number) => void waiting.set(value, times),
    }
  })

const byExtId: SinkConformance<BrevoConfig> = {
  sink,
  name: "contacts by ext_id",
  config: { api_key: credentials.apiKey },
  object: "contacts",
  key: "ext_id",
  texts: ["FIRSTNAME", "COMPANY"],
  typed: ["SIGNUP_DATE", "LOGIN_COUNT", "EMAIL_VERIFIED", "TIER", "INTERESTS"],
  emptyClears: true,
  throttled: { status: 429, body: { code: "too_many_requests" }, headers: { "x-sib-ratelimit-reset": "7" } },
  exhausted: { status: 402, body: { code: "not_enough_credits" } },
  destination: () => makeDestination("ext_id"),
}

/** An address is only written in the knowledge of the consent Brevo holds, so known contacts are looked at first. */
const byEmail: SinkConformance<BrevoConfig> = {
  ...byExtId,
  name: "contacts by email, on a list",
  key: "email",
  options: { lists: [lists.all], path: "upsert" },
  keyFor: (name) => `${name}@example.com`,
  destination: () => makeDestination("email"),
}

/** Every run's rows go through an import, and those that it cannot carry by themselves. */
const byImport: SinkConformance<BrevoConfig> = {
  ...byEmail,
  name: "contacts by email, imported",
  options: { lists: [lists.all], import_list: lists.social, path: "import" },
}

/** The case says nothing about Brevo. */
const without = ["nested values arrive as they are"]

/** Nor these about rows that wait on disk for a job. */
const withoutInFlight = [
  ...without,
  "in a pipeline: A04: the run dies with a batch in flight",
  "in a pipeline: D14: a slow destination holds the source back",
]

export const suites = [
  { ...byExtId, without },
  { ...byEmail, without },
  { ...byImport, without: withoutInFlight },
]
