/** Clients of Salesforce as they are usually written, at most 20 lines each; every one loses, doubles or misreports a record. */
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { Sandbox } from "../src/index.ts"
import { respond } from "../src/origin.ts"
import type { Body } from "./ask.ts"
import { data, signIn, typed } from "./force.ts"

export interface ForceHttp {
  /** As `fetch` with a timeout of ten seconds and `await response.json()`: throws where they would. */
  readonly call: (
    method: string,
    path: string,
    body?: object | string,
  ) => { readonly status: number; readonly body: Body }
}

interface Person {
  readonly key: string
  readonly email: string
}

/** What a client says it did. */
export interface Said {
  readonly synced: number
  readonly rejected: number
}

export const naiveForce = (sandbox: Sandbox, token: string = signIn(sandbox).body.access_token): ForceHttp => ({
  call: (method, path, body) => {
    const { pathname, search, searchParams } = new URL(`${data}${path}`, "http://127.0.0.1")
    const type = typeof body === "string" ? "text/csv" : "application/json"
    const { answer, cutAfterBytes, delayMillis, trickleMillis } = respond(sandbox, "", {
      method,
      path: pathname,
      query: searchParams,
      targetBytes: pathname.length + search.length,
      headers: { "content-type": type, authorization: `Bearer ${token}` },
      body: typeof body === "string" ? body : JSON.stringify(body ?? ""),
    })
    if (cutAfterBytes !== undefined) throw new Error("socket hang up")
    if (delayMillis + trickleMillis > 10_000) throw new Error("timeout")
    if (answer.chunks !== undefined)
      return { status: answer.status, body: Buffer.concat([...answer.chunks]).toString() }
    return { status: answer.status, body: answer.body === "" ? undefined : JSON.parse(answer.body) }
  },
})

const rowOf = ({ key, email }: Person) => ({ Auth0_Id__c: key, Email: email, LastName: key })

const upsert = (http: ForceHttp, people: ReadonlyArray<Person>) =>
  http.call("PATCH", "/composite/sobjects/Contact/Auth0_Id__c", { records: typed("Contact", people.map(rowOf)) })

/** Takes 200 for written, and whatever fails for a bad batch. */
export const countsBatches = (http: ForceHttp, people: ReadonlyArray<Person>, size = 5): Said => {
  let synced = 0
  for (let at = 0; at < people.length; at += size) {
    try {
      const batch = people.slice(at, at + size)
      if (upsert(http, batch).status < 400) synced += batch.length
    } catch {
      // a log line
    }
  }
  return { synced, rejected: people.length - synced }
}

/** Reads the outcomes, and takes every failed row for a bad one. */
export const readsOutcomes = (http: ForceHttp, people: ReadonlyArray<Person>, size = 5): Said => {
  let synced = 0
  for (let at = 0; at < people.length; at += size) {
    const { body } = upsert(http, people.slice(at, at + size))
    if (Array.isArray(body)) synced += body.filter((each) => each.success === true).length
  }
  return { synced, rejected: people.length - synced }
}

/** Whatever did not answer is sent again. */
export const createsAgain = (http: ForceHttp, person: Person): void => {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      if (http.call("POST", "/sobjects/Contact", { LastName: person.key, Email: person.email }).status < 300) return
    } catch {
      // tried again
    }
  }
}

/** Asks who is there, and creates everybody who was not in the answer. */
export const createsWhoIsMissing = (http: ForceHttp, people: ReadonlyArray<Person>): void => {
  const list = people.map(({ email }) => `'${email}'`).join(",")
  const soql = encodeURIComponent(`SELECT Email FROM Contact WHERE Email IN (${list})`)
  const { body } = http.call("GET", `/query?q=${soql}`)
  const known = new Set((body.records ?? []).map((each: Body) => each.Email))
  for (const { key, email } of people) {
    if (!known.has(email)) http.call("POST", "/sobjects/Contact", { LastName: key, Email: email })
  }
}

/** One address for each person; 404 is a new one, everything below 400 a success. */
export const patchesByAddress = (http: ForceHttp, people: ReadonlyArray<Person>): Said => {
  let synced = 0
  for (const { key, email } of people) {
    const path = `/sobjects/Contact/Email/${encodeURIComponent(email)}`
    const answer = http.call("PATCH", path, { LastName: key })
    const { status } =
      answer.status === 404 ? http.call("POST", "/sobjects/Contact", { LastName: key, Email: email }) : answer
    if (status < 400) synced += 1
  }
  return { synced, rejected: people.length - synced }
}

const csvOf = (people: ReadonlyArray<Person>) =>
  `Auth0_Id__c,Email,LastName\n${people.map(({ key, email }) => `${key},${email},${key}\n`).join("")}`

const submit = (http: ForceHttp, settings: object, csv: string): string => {
  const { id } = http.call("POST", "/jobs/ingest", settings).body
  http.call("PUT", `/jobs/ingest/${id}/batches`, csv)
  http.call("PATCH", `/jobs/ingest/${id}`, { state: "UploadComplete" })
  return id
}

/** Polls a few times, then believes the numbers of the job. */
export const believesTheJob = Effect.fnUntraced(function* (http: ForceHttp, people: ReadonlyArray<Person>) {
  const settings = { object: "Contact", operation: "upsert", externalIdFieldName: "Auth0_Id__c" }
  const id = submit(http, settings, csvOf(people))
  let job: Body = {}
  for (let poll = 0; poll < 5 && job.state !== "JobComplete" && job.state !== "Failed"; poll++) {
    yield* TestClock.adjust("1 second")
    job = http.call("GET", `/jobs/ingest/${id}`).body
  }
  const rejected = http.call("GET", `/jobs/ingest/${id}/failedResults`).body
  const lines = typeof rejected === "string" ? rejected.trim().split("\n").length - 1 : 0
  return { synced: people.length - lines, rejected: lines }
})

/** A job that is not complete in time is made again. */
export const submitsAgain = Effect.fnUntraced(function* (http: ForceHttp, people: ReadonlyArray<Person>) {
  for (let attempt = 0; attempt < 2; attempt++) {
    const id = submit(http, { object: "Contact", operation: "insert" }, csvOf(people).replaceAll(/^[^,]*,/gm, ""))
    yield* TestClock.adjust("2 seconds")
    if (http.call("GET", `/jobs/ingest/${id}`).body.state === "JobComplete") return
  }
})

/** Line n of the results is row n of the file. */
export const readsInOrder = Effect.fnUntraced(function* (http: ForceHttp, people: ReadonlyArray<Person>) {
  const settings = { object: "Contact", operation: "upsert", externalIdFieldName: "Auth0_Id__c" }
  const id = submit(http, settings, csvOf(people))
  yield* TestClock.adjust("2 seconds")
  const lines: ReadonlyArray<string> = http.call("GET", `/jobs/ingest/${id}/successfulResults`).body.trim().split("\n")
  return new Map(lines.slice(1).map((line, at) => [people[at]?.key, line.slice(1, 19)]))
})

/** Signs in again whenever an answer speaks of a session. Returns how often it did. */
export const refreshesByText = (sandbox: Sandbox, people: ReadonlyArray<Person>): number => {
  let logins = 0
  for (let attempt = 0; attempt < 100; attempt++) {
    const { body } = upsert(naiveForce(sandbox), people)
    if (!JSON.stringify(body).includes("INVALID_SESSION_ID")) break
    logins += 1
  }
  return logins
}

/** Each worker signs in by the refresh token that it was started with. */
export const refreshesAlone = (sandbox: Sandbox, refreshToken: string, people: ReadonlyArray<Person>): number => {
  let synced = 0
  for (const person of people) {
    const form = { grant_type: "refresh_token", client_id: "3MVG9sandbox.not.a.real.key", refresh_token: refreshToken }
    const { body } = signIn(sandbox, form)
    if (upsert(naiveForce(sandbox, String(body.access_token)), [person]).status === 200) synced += 1
  }
  return synced
}

/** Stops at four fifths of the day's calls, as the header tells them to who can read it. */
export const guardsItsQuota = (limitInfo: string | undefined): "go on" | "stop" => {
  const [, used, max] = /^api-usage=(\d+)\/(\d+)$/.exec(limitInfo ?? "") ?? []
  return used !== undefined && Number(used) > 0.8 * Number(max) ? "stop" : "go on"
}
