/** Salesforce's side of the conformance suites: the sandbox's organization, which refuses and defers single rows on demand. */
import type { SinkConformance } from "@sluice/core/testing"
import { credentials, httpClient, makeSandbox, type Sandbox } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import type { JsonObject } from "effect/Schema"
import { type SalesforceConfig, sink } from "../src/index.ts"

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

interface Marks {
  readonly bad: Set<string>
  readonly waiting: Map<string, number>
}

/** What a marked record gets; undefined: what the organization says. Quotes the row, as Salesforce does. */
const marked = (record: JsonObject, { bad, waiting }: Marks, key: string): JsonObject | undefined => {
  const value = String(record[key])
  const refusal = (statusCode: string) => ({
    success: false,
    errors: [{ statusCode, message: `${String(record.FirstName)} is not acceptable`, fields: [] }],
  })
  const times = waiting.get(value) ?? 0
  if (times > 0) {
    waiting.set(value, times - 1)
    return refusal("UNABLE_TO_LOCK_ROW")
  }
  return bad.has(value) ? refusal("FIELD_CUSTOM_VALIDATION_EXCEPTION") : undefined
}

/** Answers for marked records of a collection itself, which the sandbox has no switch for, and hands the others on. */
const withMarks = (sandbox: Sandbox, marks: Marks, key: string) => {
  const client = httpClient(sandbox)
  return HttpClient.make((request) => {
    const text = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
    const isMarked = marks.bad.size + marks.waiting.size > 0
    const body: unknown = isMarked && request.method === "PATCH" && text.startsWith("{") ? JSON.parse(text) : undefined
    const records = isObject(body) && Array.isArray(body.records) ? body.records.filter(isObject) : []
    const own = records.map((record) => marked(record, marks, key))
    if (!isObject(body) || own.every((each) => each === undefined)) return client.execute(request)
    const others = { ...body, records: records.filter((_, n) => own[n] === undefined) }
    const answer = (rest: ReadonlyArray<unknown>) => {
      const left = [...rest]
      return HttpClientResponse.fromWeb(request, Response.json(own.map((each) => each ?? left.shift())))
    }
    if (others.records.length === 0) return Effect.succeed(answer([]))
    return Effect.gen(function* () {
      const response = yield* client.execute(HttpClientRequest.bodyJsonUnsafe(request, others))
      const rest: unknown = yield* response.json
      return answer(Array.isArray(rest) ? rest : [])
    })
  })
}

const makeDestination = (key: string) =>
  Effect.map(makeSandbox({ users: 0, seed: 1, limits: "high" }), (sandbox) => {
    const marks: Marks = { bad: new Set(), waiting: new Map() }
    const { salesforce } = sandbox.control
    const stored = () =>
      new Map(
        salesforce
          .records("Contact")
          .map((record) => [String(record[key]), JSON.parse(JSON.stringify(record))] as const),
      )
    return {
      client: withMarks(sandbox, marks, key),
      stored,
      // All of them are shown in the few cases that delete some: that takes its time.
      total: () => (salesforce.count("Contact") > 200 ? salesforce.count("Contact") : stored().size),
      writes: () => salesforce.journal().length,
      refuse: (value: string) => void marks.bad.add(value),
      defer: (value: string, times: number) => void marks.waiting.set(value, times),
    }
  })

const byKey: SinkConformance<SalesforceConfig> = {
  sink,
  name: "contacts by external id, collections",
  config: {
    login_url: "https://sandbox.my.salesforce.com",
    client_id: credentials.consumerKey,
    client_secret: credentials.consumerSecret,
  },
  object: "Contact",
  options: { path: "collections", match: [] },
  key: "Auth0_Id__c",
  texts: ["Description", "Roles__c"],
  typed: ["Last_Login__c", "Logins_Count__c", "Email_Verified__c", "Auth0_Status__c", "Birthdate", "Nickname__c"],
  emptyClears: true,
  fields: (name) => ({ LastName: `Name of ${name}` }),
  exhausted: { status: 403, body: [{ errorCode: "REQUEST_LIMIT_EXCEEDED", message: "TotalRequests Limit exceeded." }] },
  destination: () => makeDestination("Auth0_Id__c"),
}

/** People are looked for by e-mail before they are made. */
const matched: SinkConformance<SalesforceConfig> = {
  ...byKey,
  name: "contacts by external id, matched by e-mail, 1,000 a call",
  options: { path: "composite" },
  fields: (key) => ({ LastName: `Name of ${key}`, Email: `${key.replace(/\W/g, "")}@example.com` }),
}

/** The case says nothing about Salesforce. */
const without = ["nested values arrive as they are"]

export const suites = [
  { ...byKey, without },
  { ...matched, without },
]
