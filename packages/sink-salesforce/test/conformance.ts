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

const lock = {
  success: false,
  errors: [{ statusCode: "UNABLE_TO_LOCK_ROW", message: "unable to obtain exclusive access" }],
}

/** Answers for locked records of a collection itself, for the sandbox has no switch for a number of times. */
const withLocks = (sandbox: Sandbox, locked: Map<string, number>) => {
  const client = httpClient(sandbox)
  const takesLock = (record: JsonObject): boolean => {
    const key = String(record.Auth0_Id__c)
    const times = locked.get(key) ?? 0
    if (times > 0) locked.set(key, times - 1)
    return times > 0
  }
  return HttpClient.make((request) => {
    const text = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
    const body: unknown = locked.size > 0 && request.method === "PATCH" ? JSON.parse(text) : undefined
    const records = isObject(body) && Array.isArray(body.records) ? body.records.filter(isObject) : []
    const isLocked = records.map(takesLock)
    if (!isObject(body) || !isLocked.includes(true)) return client.execute(request)
    const others = records.filter((_, n) => isLocked[n] === false)
    return Effect.gen(function* () {
      const sent = HttpClientRequest.bodyJsonUnsafe(request, { ...body, records: others })
      const rest: unknown = others.length === 0 ? [] : yield* (yield* client.execute(sent)).json
      const left = Array.isArray(rest) ? [...rest] : []
      return HttpClientResponse.fromWeb(request, Response.json(isLocked.map((each) => (each ? lock : left.shift()))))
    })
  })
}

/** A trigger of the organization that refuses a record by its key, and quotes it as triggers do. */
const refusing = (key: string) => ({
  object: "Contact",
  field: "Auth0_Id__c",
  contains: key,
  code: "FIELD_CUSTOM_VALIDATION_EXCEPTION",
  message: `text-canary ${key} is not acceptable`,
})

const makeDestination = Effect.map(makeSandbox({ users: 0, seed: 1, limits: "high" }), (sandbox) => {
  const locked = new Map<string, number>()
  const triggers: Array<ReturnType<typeof refusing>> = []
  const { salesforce } = sandbox.control
  const stored = () =>
    new Map(
      salesforce
        .records("Contact")
        .map((record) => [String(record.Auth0_Id__c), JSON.parse(JSON.stringify(record))] as const),
    )
  return {
    client: withLocks(sandbox, locked),
    stored,
    // All of them are shown in the few cases that delete some: that takes its time.
    total: () => (salesforce.count("Contact") > 200 ? salesforce.count("Contact") : stored().size),
    writes: () => salesforce.journal().length,
    refuse: (value: string) => {
      triggers.push(refusing(value))
      salesforce.set({ triggers })
    },
    defer: (value: string, times: number) => void locked.set(value, times),
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
  destination: () => makeDestination,
}

/** People are looked for by e-mail before they are made. */
const matched: SinkConformance<SalesforceConfig> = {
  ...byKey,
  name: "contacts by external id, matched by e-mail, 1,000 a call",
  options: { path: "composite" },
  fields: (key) => ({ LastName: `Name of ${key}`, Email: `${key.replace(/\W/g, "")}@example.com` }),
}

/** Every run's rows go through jobs, and those that a job cannot carry by themselves. */
const byBulk: SinkConformance<SalesforceConfig> = {
  ...byKey,
  name: "contacts by external id, bulk",
  options: { path: "bulk", match: [] },
  destination: () =>
    Effect.map(makeDestination, ({ client, refuse, stored, total, writes }) => ({
      client,
      refuse,
      stored,
      total,
      writes,
    })),
}

/** The case says nothing about Salesforce. */
const without = ["nested values arrive as they are"]

/** Nor these about rows that wait on disk for a job, go in a stream, and meet locks when the job is over. */
const withoutInFlight = [
  ...without,
  "in a pipeline: D03: too many bytes are split, and a row that is too large is a dead letter",
  "in a pipeline: D04: a row that has to wait is sent again alone",
  "in a pipeline: D04: a row that has to wait for long is tried by the next run",
  "in a pipeline: A04: the run dies with a batch in flight",
  "in a pipeline: D14: a slow destination holds the source back",
]

export const suites = [
  { ...byKey, without },
  { ...matched, without },
  { ...byBulk, without: withoutInFlight },
]
