/** A small Auth0 tenant in memory: its search with the wall, clamped pages, a lagging index, and users that change. */
import { CurrentLimiters, type Endpoint, makeLimiters, PluginState, type ScanRequest } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { source } from "../src/index.ts"
import { UserOptions } from "../src/options.ts"

export interface TestUser {
  readonly user_id: string
  readonly created_at?: string
  readonly updated_at?: string
  readonly [field: string]: Schema.Json | undefined
}

export const time = (millis: number) => new Date(Date.UTC(2026, 0, 1) + millis).toISOString()

const bare = (text: string) => text.replace(/\\(.)/g, "$1").replace(/^"|"$/g, "")

type Test = (user: TestUser) => boolean

/** Understands the clauses that this plugin writes; anything else is an error of the test. */
const compiled = (clause: string): Test => {
  if (clause.startsWith("NOT ")) {
    const inner = compiled(clause.slice(4))
    return (user) => !inner(user)
  }
  const grouped = /^\((.*)\)$/.exec(clause)?.[1]
  if (grouped !== undefined) return compiled(grouped)
  const exists = /^_exists_:(\w+)$/.exec(clause)?.[1]
  if (exists !== undefined) return (user) => user[exists] !== undefined
  const range = /^(\w+):([[{])(\S+) TO (\S+)\]$/.exec(clause)
  if (range !== null) {
    const [, field = "", open, low = "*", high = "*"] = range
    return (user) => {
      const value = user[field]
      if (typeof value !== "string") return false
      return (low === "*" || (open === "[" ? value >= low : value > low)) && (high === "*" || value <= high)
    }
  }
  const [, field = "", text = ""] = /^([\w.]+):(.+)$/.exec(clause) ?? []
  if (field === "") throw new Error(`the tenant does not know ${clause}`)
  if (field === "identities.connection") {
    const wanted = `:${JSON.stringify(bare(text))}`
    return (user) => JSON.stringify(user.identities ?? "").includes(wanted)
  }
  const start = /[^\\]\*$/.test(text) ? bare(text.slice(0, -1)) : undefined
  if (start !== undefined) return (user) => String(user[field]).startsWith(start)
  const value = bare(text)
  return (user) => String(user[field]) === value
}

export interface TenantOptions {
  /** The largest page. */
  readonly clamp?: number
  readonly users?: ReadonlyArray<TestUser>
  /** Called before each search, with its number; what it does is seen according to `lag`. */
  readonly onSearch?: (tenant: Tenant, nth: number) => void
  /** Searches until a change is in the index. */
  readonly lag?: number
  /** Rewrites the answer to a search, for faults. */
  readonly answer?: (
    body: { users: ReadonlyArray<TestUser>; total: number; limit: number },
    query: URLSearchParams,
  ) => unknown
}

export interface Tenant {
  readonly users: Map<string, TestUser>
  readonly put: (user: TestUser) => void
  readonly remove: (id: string) => void
  /** Everything that was changed is in the index. */
  readonly settle: () => void
  readonly index: Map<string, TestUser>
  readonly queries: Array<URLSearchParams>
  readonly paths: Array<string>
  readonly methods: Set<string>
  /** Milliseconds of the tenant's clock; each search takes a second. */
  now: number
}

const json = (status: number, body: unknown) => Response.json(body, { status })

export const makeTenant = (options: TenantOptions = {}) => {
  let pending: ReadonlyArray<{ readonly at: number; readonly id: string }> = []
  let searches = 0
  let changes = 0
  const index = new Map<string, TestUser>()
  const show = (id: string) => {
    const user = tenant.users.get(id)
    if (user === undefined) index.delete(id)
    else index.set(id, user)
  }
  /** Each change takes a time of its own, so search shows them in another order than they happened in. */
  const later = (id: string) => {
    changes += 1
    if (options.lag === undefined) show(id)
    else pending = [...pending, { at: searches + ((changes * 7) % (options.lag + 1)), id }]
  }
  const catchUp = (until: number) => {
    for (const { at, id } of pending) if (at <= until) show(id)
    pending = pending.filter(({ at }) => at > until)
  }
  const tenant: Tenant = {
    users: new Map(),
    index,
    queries: [],
    paths: [],
    methods: new Set(),
    now: 1_000_000,
    put: (user) => {
      tenant.users.set(user.user_id, user)
      later(user.user_id)
    },
    remove: (id) => {
      tenant.users.delete(id)
      later(id)
    },
    settle: () => catchUp(Number.POSITIVE_INFINITY),
  }
  for (const user of options.users ?? []) {
    tenant.users.set(user.user_id, user)
    index.set(user.user_id, user)
  }

  const chosen = (user: TestUser, query: URLSearchParams) => {
    const fields = query.get("fields")?.split(",")
    return fields === undefined
      ? user
      : Object.fromEntries(Object.entries(user).filter(([name]) => fields.includes(name)))
  }

  const search = (query: URLSearchParams): Response => {
    searches += 1
    tenant.now += 1000
    catchUp(searches)
    options.onSearch?.(tenant, searches)
    tenant.queries.push(query)
    const limit = Math.min(Number(query.get("per_page")), options.clamp ?? 100)
    const start = Number(query.get("page")) * limit
    if (start + limit > 1000)
      return json(400, {
        statusCode: 400,
        error: "Bad Request",
        message: "You can only page through the first 1000 records.",
        errorCode: "invalid_paging",
      })
    const tests = (query.get("q") ?? "").split(" AND ").map(compiled)
    const [field = "", direction] = (query.get("sort") ?? "").split(":")
    const key = (user: TestUser) => String(user[field] ?? "")
    const order = direction === "-1" ? -1 : 1
    const found = [...index.values()]
      .filter((user) => tests.every((test) => test(user)))
      .sort((a, b) => (key(a) < key(b) ? -order : key(a) > key(b) ? order : a.user_id < b.user_id ? -1 : 1))
    const users = found.slice(start, start + limit).map((user) => chosen(user, query))
    const body = { start, limit, length: users.length, users, total: found.length }
    return json(
      200,
      options.answer === undefined
        ? body
        : options.answer({ ...body, users: found.slice(start, start + limit) }, query),
    )
  }

  const client = HttpClient.make((request, url) =>
    Effect.sync(() => {
      tenant.paths.push(decodeURIComponent(url.pathname))
      tenant.methods.add(request.method)
      const respond = (): Response => {
        if (url.pathname === "/api/v2/users") return search(url.searchParams)
        if (url.pathname === "/api/v2/users-by-email") {
          const email = url.searchParams.get("email")
          return json(
            200,
            [...tenant.users.values()]
              .filter((user) => user.email === email)
              .map((user) => chosen(user, url.searchParams)),
          )
        }
        const user = tenant.users.get(decodeURIComponent(url.pathname.replace("/api/v2/users/", "")))
        return user === undefined
          ? json(404, {
              statusCode: 404,
              error: "Not Found",
              message: "The user does not exist.",
              errorCode: "inexistent_user",
            })
          : json(200, chosen(user, url.searchParams))
      }
      return HttpClientResponse.fromWeb(request, respond())
    }),
  )
  return { tenant, client }
}

export const endpoint: Endpoint = { name: "tenant", baseUrl: undefined, share: undefined, insecure: false }

export const noState = Layer.succeed(PluginState, { get: () => Effect.succeed(Option.none()), set: () => Effect.void })

/** A reader on the tenant with limits that never wait. */
export const openReader = (client: HttpClient.HttpClient) =>
  source
    .open({ domain: "acme.example.com", token: Redacted.make("test-token"), plan: "private_cloud_10000" }, endpoint)
    .pipe(
      Effect.provideService(HttpClient.HttpClient, client),
      Effect.provideService(CurrentLimiters, makeLimiters()),
      Effect.provide(noState),
    )

export const userOptions = (options: unknown = {}) => Schema.decodeUnknownSync(UserOptions)(options)

export const request = (over: Partial<ScanRequest<UserOptions>> = {}): ScanRequest<UserOptions> => ({
  stream: "users",
  options: userOptions(),
  sync: "full",
  fields: ["email"],
  from: Option.none(),
  since: Option.none(),
  purpose: "run",
  ...over,
})

/** All pages of a scan. */
export const readAll = (client: HttpClient.HttpClient, over: Partial<ScanRequest<UserOptions>> = {}) =>
  Effect.gen(function* () {
    const reader = yield* openReader(client)
    const pages = yield* Stream.runCollect(reader.read(request(over)))
    const records = pages.flatMap((page) => page.records)
    const completeness = yield* reader.completeness ?? Effect.undefined
    return { pages, records, keys: records.map(({ key }) => key), last: pages.at(-1)?.position, completeness }
  }).pipe(Effect.scoped)
