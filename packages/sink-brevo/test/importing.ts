/** Whole imports against the sandbox's Brevo: the writer of a route, stored batches, and what the engine does with them. */
import { type Batch, CurrentLimiters, makeLimiters, type Outcome, type Row, type StoredBatch } from "@sluice/core"
import { credentials, httpClient, lists, makeSandbox, type Sandbox, type SandboxOptions } from "@sluice/sandbox"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { JsonObject } from "effect/Schema"
import * as Stream from "effect/Stream"
import { memory, onMovingClock, open, type Setup } from "./vendor.ts"

export const account = (options: Partial<SandboxOptions> = {}) =>
  makeSandbox({ users: 0, seed: 1, limits: "high", ...options })

/** Of user `n`; `fields` beside the usual. */
export const user = (n: number, fields: JsonObject = {}, given: Partial<Row> = {}): Row => ({
  id: `auth0|${n}`,
  key: `auth0|${n}`,
  change: "upsert",
  fields: { ext_id: `auth0|${n}`, email: `user${n}@example.com`, FIRSTNAME: `Name ${n}`, ...fields },
  ...given,
})

export const users = (count: number, fields: JsonObject = {}): ReadonlyArray<Row> =>
  Array.from({ length: count }, (_, n) => user(n + 1, fields))

export const stored = (rows: ReadonlyArray<Row>, id = "batch-1"): StoredBatch => ({
  id,
  count: rows.length,
  bytes: JSON.stringify(rows).length,
  rows: Stream.fromIterable(Arr.chunksOf(rows, 100)),
})

export const FIELDS = ["ext_id", "email", "FIRSTNAME", "COMPANY", "EMAIL_VERIFIED", "LOGIN_COUNT", "SMS"]

/** A call as it was sent; the part after `?` is left out. */
export interface Sent {
  readonly call: string
  readonly params: string
  readonly body: string
}

const sentOf = (request: HttpClientRequest): Sent => {
  const url = new URL(request.url)
  return {
    call: `${request.method} ${url.pathname.replace("/v3", "")}`,
    params: request.urlParams.params.map(([name, value]) => `${name}=${value}`).join("&"),
    body: request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : "",
  }
}

/** A route's writer as one process has it. */
export const route = Effect.fnUntraced(function* (sandbox: Sandbox, setup: Setup = {}) {
  const sent: Array<Sent> = []
  const client = httpClient(sandbox)
  const recording = HttpClient.make((request) => {
    sent.push(sentOf(request))
    return client.execute(request)
  })
  const writer = yield* open({
    fields: FIELDS,
    config: { api_key: credentials.apiKey },
    ...setup,
    options: { path: "import", lists: [lists.all], ...setup.options },
  }).pipe(
    Effect.provideService(HttpClient.HttpClient, recording),
    Effect.provideService(CurrentLimiters, makeLimiters()),
    memory,
  )
  const { jobs } = writer
  if (jobs === undefined) return yield* Effect.die(new Error("the writer has no jobs"))

  /** All refs that were saved; `saved` is told how many there are by now. */
  const submit = Effect.fnUntraced(function* (batch: StoredBatch, saved: (count: number) => void = () => {}) {
    const refs: Array<string> = []
    yield* onMovingClock(jobs.submit(batch, (ref) => Effect.sync(() => saved(refs.push(ref)))))
    return refs
  })

  const settle = (ref: string, batch: StoredBatch) =>
    onMovingClock(Stream.runCollect(jobs.settle(ref, batch))).pipe(Effect.map((chunks) => chunks.flat()))

  /** Both, as in a run without a crash. */
  const job = Effect.fnUntraced(function* (rows: ReadonlyArray<Row>, id?: string) {
    const batch = stored(rows, id)
    const refs = yield* submit(batch)
    return yield* settle(refs.at(-1) ?? "", batch)
  })

  /** The rows that a job left, one by one. */
  const single = (rows: ReadonlyArray<Row>) =>
    onMovingClock(writer.write({ id: "single", attempt: 1, rows } satisfies Batch))

  const calls = (call: string) => sent.filter((each) => each.call === call)
  /** The bodies of the imports. */
  const imports = (): ReadonlyArray<ImportSent> => calls("POST /contacts/import").map(({ body }) => JSON.parse(body))

  return { writer, jobs, submit, settle, job, single, sent, calls, imports }
})

export interface ImportSent {
  readonly jsonBody: ReadonlyArray<{ readonly email: string; readonly attributes: JsonObject }>
  readonly listIds: ReadonlyArray<number>
  readonly updateExistingContacts: boolean
}

/** How many outcomes there are of each kind: `created`, `Deferred`, … */
export const tally = (outcomes: ReadonlyArray<Outcome>): { readonly [kind: string]: number } => {
  const counts: { [kind: string]: number } = {}
  for (const outcome of outcomes) {
    const kind = outcome._tag === "Delivered" ? outcome.effect : outcome._tag
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}
