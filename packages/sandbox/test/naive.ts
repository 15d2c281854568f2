/** Clients as they are usually written, at most 20 lines each; under a fault every one of them loses or doubles a record. */

import type { Sandbox } from "../src/index.ts"
import { respond } from "../src/origin.ts"
import { apiKey, authorization, type Body } from "./ask.ts"

export interface Http {
  /** As `fetch` with a timeout of ten seconds and `await response.json()`: throws where they would. */
  readonly call: (method: string, path: string, body?: object) => { readonly status: number; readonly body: Body }
}

export const naiveHttp = (sandbox: Sandbox): Http => {
  const headers = { "content-type": "application/json", ...apiKey, ...authorization(sandbox) }
  return {
    call: (method, path, body) => {
      const { pathname, searchParams } = new URL(path, "http://127.0.0.1")
      const sent = body === undefined ? "" : JSON.stringify(body)
      const answer = respond(sandbox, "", { method, path: pathname, query: searchParams, headers, body: sent })
      if (answer.cutAfterBytes !== undefined) throw new Error("socket hang up")
      if (answer.delayMillis + answer.trickleMillis > 10_000) throw new Error("timeout")
      const { status, body: text } = answer.answer
      return { status, body: text === "" ? undefined : JSON.parse(text) }
    },
  }
}

interface NaiveUser {
  readonly user_id: string
  readonly email: string
  readonly updated_at: string
  readonly created_at: string
}

const usersAt = (page: number, perPage = 50) => `/auth0/api/v2/users?page=${page}&per_page=${perPage}&sort=updated_at:1`

/** Reads page after page; a page that fails is logged and left out. */
export const skipsBadPages = (http: Http): ReadonlyArray<NaiveUser> => {
  const found: Array<NaiveUser> = []
  for (let page = 0; page < 20; page++) {
    try {
      const { body } = http.call("GET", usersAt(page))
      found.push(...body)
      if (body.length < 50) break
    } catch {
      // "we'll get it next time"
    }
  }
  return found
}

/** Takes an answer that is no list for the end of the list. */
export const stopsAtTheFirstOddAnswer = (http: Http, perPage = 50): ReadonlyArray<NaiveUser> => {
  const found: Array<NaiveUser> = []
  for (let page = 0; ; page++) {
    const { body } = http.call("GET", usersAt(page, perPage))
    if (!Array.isArray(body) || body.length === 0) return found
    found.push(...body)
    if (body.length < perPage) return found
  }
}

/** Posts each user once and looks at nothing. */
export const ignoresAnswers = (http: Http, users: ReadonlyArray<NaiveUser>): number => {
  let synced = 0
  for (const { user_id, email } of users) {
    try {
      http.call("POST", "/brevo/v3/contacts", { email, ext_id: user_id, updateEnabled: true })
      synced += 1
    } catch {
      // a log line
    }
  }
  return synced
}

/** Keyed by e-mail; after a failure it reads the user afresh and posts again. */
export const postsAgain = (http: Http, userId: string): void => {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const { body: user } = http.call("GET", `/auth0/api/v2/users/${encodeURIComponent(userId)}`)
      const { status } = http.call("POST", "/brevo/v3/contacts", { email: user.email, updateEnabled: true })
      if (status < 300) return
    } catch {
      // tried again
    }
  }
}

/** Incremental: everything after the newest change seen. */
export const advancesToTheNewest = (http: Http, since: string): { users: ReadonlyArray<NaiveUser>; since: string } => {
  const q = encodeURIComponent(`updated_at:{${since} TO *]`)
  const { body } = http.call("GET", `/auth0/api/v2/users?search_engine=v3&q=${q}&sort=updated_at:1&per_page=100`)
  return { users: body, since: body.at(-1)?.updated_at ?? since }
}

/** Keyset with an exclusive bound. */
export const stepsOverTies = (http: Http): ReadonlyArray<NaiveUser> => {
  const found: Array<NaiveUser> = []
  for (let after = "2000-01-01T00:00:00.000Z"; ; ) {
    const q = encodeURIComponent(`created_at:{${after} TO *]`)
    const { body } = http.call("GET", `/auth0/api/v2/users?search_engine=v3&q=${q}&sort=created_at:1&per_page=100`)
    if (body.length === 0) return found
    found.push(...body)
    after = body.at(-1).created_at
  }
}
