/** Asks the fake Salesforce org as a signed-in client does. */
import { assert } from "@effect/vitest"
import type { Sandbox } from "../src/index.ts"
import { credentials } from "../src/options.ts"
import { respond } from "../src/origin.ts"
import type { Asked, Body, Reply } from "./ask.ts"

export const form = {
  grant_type: "client_credentials",
  client_id: credentials.consumerKey,
  client_secret: credentials.consumerSecret,
}

const parse = (text: string): Body => {
  try {
    return text === "" ? undefined : JSON.parse(text)
  } catch {
    return text
  }
}

/** `text`: a body that is not JSON. */
export const raw = (sandbox: Sandbox, method: string, target: string, asked: Asked & { text?: string } = {}): Reply => {
  const { pathname, searchParams } = new URL(target, "http://127.0.0.1")
  for (const [name, value] of Object.entries(asked.query ?? {})) searchParams.set(name, value)
  const { answer, cutAfterBytes } = respond(sandbox, "127.0.0.1", {
    method,
    path: pathname,
    query: searchParams,
    targetBytes: pathname.length + searchParams.toString().length + 1,
    headers: { "content-type": "application/json", ...asked.headers },
    body: asked.text ?? (asked.body === undefined ? "" : JSON.stringify(asked.body)),
  })
  const chunks = answer.chunks === undefined ? answer.body : Buffer.concat([...answer.chunks]).toString("utf8")
  return { ...answer, body: parse(chunks), cut: cutAfterBytes !== undefined }
}

export const signIn = (sandbox: Sandbox, fields: { readonly [name: string]: string } = form): Reply =>
  raw(sandbox, "POST", "/services/oauth2/token", { text: new URLSearchParams(fields).toString() })

export const data = "/services/data/v66.0"

export interface Force {
  readonly call: (method: string, path: string, asked?: Asked & { text?: string }) => Reply
  /** What a query finds, on its first page. */
  readonly find: (soql: string) => Body
  /** The outcomes of a collection upsert. */
  readonly upsert: (object: string, key: string, records: ReadonlyArray<object>, asked?: Asked) => Body
}

export const force = (sandbox: Sandbox): Force => {
  const { body } = signIn(sandbox)
  const authorization = `Bearer ${body.access_token}`
  const call: Force["call"] = (method, path, asked = {}) =>
    raw(sandbox, method, `${data}${path}`, { ...asked, headers: { authorization, ...asked.headers } })
  return {
    call,
    find: (soql) => {
      const { status, body } = call("GET", "/query", { query: { q: soql } })
      assert.strictEqual(status, 200, JSON.stringify(body))
      return body.records
    },
    upsert: (object, key, records, asked = {}) =>
      call("PATCH", `/composite/sobjects/${object}/${key}`, { ...asked, body: { records: typed(object, records) } })
        .body,
  }
}

export const typed = (type: string, records: ReadonlyArray<object>) =>
  records.map((record) => ({ attributes: { type }, ...record }))

/** The codes of a collection's outcomes; a success is its effect. */
export const codes = (outcomes: Body): ReadonlyArray<string> =>
  outcomes.map((each: Body) => (each.success ? (each.created ? "created" : "updated") : each.errors[0].statusCode))

export const contact = (id: string, fields: object = {}) => ({ Auth0_Id__c: id, LastName: id, ...fields })
