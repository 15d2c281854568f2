/** Asks a sandbox directly, as a test reads best: path, query, body in; status, headers, parsed body out. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { makeSandbox, type Sandbox, type SandboxOptions } from "../src/index.ts"
import { credentials, tenantDomain } from "../src/options.ts"
import { respond } from "../src/origin.ts"

/** Whatever the answer holds: tests compare it. */
export type Body = ReturnType<typeof JSON.parse>

export interface Reply {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: Body
  readonly cut: boolean
}

export interface Asked {
  readonly query?: { readonly [name: string]: string }
  readonly body?: unknown
  readonly headers?: { readonly [name: string]: string }
}

export const ask = (sandbox: Sandbox, method: string, path: string, asked: Asked = {}): Reply => {
  const { answer, cutAfterBytes } = respond(sandbox, "127.0.0.1", {
    method,
    path,
    query: new URLSearchParams(asked.query),
    headers: { "content-type": "application/json", ...asked.headers },
    body: asked.body === undefined ? "" : JSON.stringify(asked.body),
  })
  return { ...answer, body: parse(answer.body), cut: cutAfterBytes !== undefined }
}

const parse = (text: string): unknown => {
  try {
    return text === "" ? undefined : JSON.parse(text)
  } catch {
    return text
  }
}

export const tokenRequest = (account = "sandbox") => ({
  grant_type: "client_credentials",
  client_id: credentials.clientId,
  client_secret: credentials.clientSecret,
  audience: `https://${tenantDomain(account)}/api/v2/`,
})

export const authorization = (sandbox: Sandbox): { readonly authorization: string } => {
  const { body } = ask(sandbox, "POST", "/auth0/oauth/token", { body: tokenRequest(sandbox.options.account) })
  return { authorization: `Bearer ${body.access_token}` }
}

export const apiKey = { "api-key": credentials.apiKey }

export const brevo = (sandbox: Sandbox, method: string, path: string, asked: Asked = {}): Reply =>
  ask(sandbox, method, `/brevo/v3${path}`, { ...asked, headers: apiKey })

/** A search with totals, as an extractor asks. */
export const search = (sandbox: Sandbox, query: { readonly [name: string]: string }): Reply =>
  ask(sandbox, "GET", "/auth0/api/v2/users", {
    query: { search_engine: "v3", include_totals: "true", ...query },
    headers: authorization(sandbox),
  })

/** An import as the sink sends one. */
export const submit = (sandbox: Sandbox, rows: ReadonlyArray<object>, options: object = {}) =>
  brevo(sandbox, "POST", "/contacts/import", { body: { jsonBody: rows, listIds: [20], ...options } })

export const processOf = (sandbox: Sandbox, id = 1): Body => brevo(sandbox, "GET", `/processes/${id}`).body

/** Sent, and a second later, when it has taken effect. */
export const importing = (sandbox: Sandbox, rows: ReadonlyArray<object>, options: object = {}) =>
  Effect.gen(function* () {
    const { status, body } = submit(sandbox, rows, options)
    assert.strictEqual(status, 202)
    yield* TestClock.adjust("1 second")
    return processOf(sandbox, body.processId)
  })

export const row = (name: string, attributes: object = {}) => ({
  email: `${name}@example.com`,
  attributes: { EXT_ID: name, ...attributes },
})

export const sandboxOf = (options: Partial<SandboxOptions> = {}): Effect.Effect<Sandbox> =>
  makeSandbox({ users: 50, seed: 1, limits: "off", ...options })
