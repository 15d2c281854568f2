/** Export jobs: made, done after a while by the clock, and read from an address that ends after a minute. auth0.md §2.1. */
import { hash } from "node:crypto"
import { isObject, json, type Now, type SandboxAnswer, type SandboxRequest } from "../exchange.ts"
import type { ExportFlaw } from "../faults.ts"
import { type SandboxOptions, tenantDomain } from "../options.ts"
import { mix } from "../random.ts"
import type { Directory } from "../users/directory.ts"
import type { User } from "../users/generate.ts"
import { failure } from "./errors.ts"
import { type ExportOrder, readOrder } from "./exportBody.ts"
import { gzipped } from "./gzip.ts"

export const exportsPath = "/api/v2/jobs/users-exports"
export const filesPath = "/user-exports/:job/:file"

const linkMillis = 60_000
const keptMillis = 24 * 3_600_000
/** Users made at a time. */
const block = 1_000

interface Job {
  readonly id: string
  readonly order: ExportOrder
  readonly flaw: ExportFlaw | undefined
  readonly createdAt: string
  readonly startedMillis: number
}

export interface Exports {
  readonly create: (request: SandboxRequest, flaw: ExportFlaw | undefined) => SandboxAnswer
  readonly get: (request: SandboxRequest, id: string) => SandboxAnswer
  readonly download: (request: SandboxRequest, id: string) => SandboxAnswer
}

export interface ExportsOptions {
  readonly options: SandboxOptions
  readonly now: Now
  readonly dataNow: Now
  readonly directory: Directory
}

/** The id that the sandbox gives a connection of this name. */
export const connectionId = (name: string): string => `con_${hash("sha256", name).slice(0, 16)}`

const noJob = (): SandboxAnswer => failure(404, "Job not found.")

/** The file server speaks XML, as S3 and CloudFront do. */
const denied = (status: number, code: string, message: string): SandboxAnswer => ({
  status,
  headers: { "content-type": "application/xml" },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
})

const inConnection = ({ identities }: User, id: string): boolean =>
  Array.isArray(identities) && identities.some((each) => isObject(each) && connectionId(String(each.connection)) === id)

export const makeExports = ({ options, now, dataNow, directory }: ExportsOptions): Exports => {
  const jobs = new Map<string, Job>()
  const takes = options.exportMillis ?? 3_000
  const tenant = tenantDomain(options.account ?? "sandbox").split(".")[0]

  const alive = (id: string): Job | undefined => {
    const job = jobs.get(id)
    if (job === undefined || now() >= job.startedMillis + takes + keptMillis) return undefined
    return job.flaw === "lost" && isOver(job) ? undefined : job
  }
  const isOver = (job: Job): boolean => job.flaw !== "pending_for_ever" && now() >= job.startedMillis + takes

  const sign = (id: string, expires: string): string => hash("sha256", `${options.seed}/${id}/${expires}`).slice(0, 40)

  const location = ({ base = "http://127.0.0.1/auth0" }: SandboxRequest, { id, flaw }: Job): string => {
    const expires = String(Math.floor((now() + linkMillis) / 1000))
    const query = new URLSearchParams({ Expires: expires, "Key-Pair-Id": "SANDBOX", Signature: sign(id, expires) })
    const at = flaw === "other_host" ? "https://user-exports.example.net" : base
    return `${at}/user-exports/${id}/${tenant}.json.gz?${query}`
  }

  const view = (request: SandboxRequest, job: Job): { readonly [key: string]: unknown } => {
    const { order, flaw } = job
    const common = {
      type: "users_export",
      ...(order.connectionId === undefined ? {} : { connection_id: order.connectionId }),
      format: "json",
      ...(order.limit === undefined ? {} : { limit: order.limit }),
      fields: order.fields.map((name) => ({ name })),
      connection: "",
      created_at: job.createdAt,
      id: job.id,
    }
    if (isOver(job)) {
      return flaw === "failed"
        ? { ...common, status: "failed", status_details: "Export of ada.lovelace0@example.com failed" }
        : { ...common, status: "completed", percentage_done: 100, location: location(request, job) }
    }
    const left = Math.max(1, takes - (now() - job.startedMillis))
    return {
      ...common,
      status: flaw === "odd_status" ? "processing" : "pending",
      percentage_done: Math.floor(100 * (1 - left / Math.max(1, takes))),
      time_left_seconds: Math.ceil(left / 1000),
    }
  }

  const create = (request: SandboxRequest, flaw: ExportFlaw | undefined): SandboxAnswer => {
    const order = readOrder(request.body)
    if (typeof order === "string") return failure(400, `Payload validation error: ${order}.`, "invalid_body")
    const id = `job_${(mix(options.seed, jobs.size).toString(36) + mix(jobs.size, 61).toString(36)).padStart(16, "0").slice(0, 16)}`
    const job = { id, order, flaw, createdAt: new Date(dataNow()).toISOString(), startedMillis: now() }
    jobs.set(id, job)
    const { percentage_done: _, time_left_seconds: __, location: ___, ...made } = view(request, job)
    return json(200, { ...made, status: "pending" })
  }

  const get = (request: SandboxRequest, id: string): SandboxAnswer => {
    const job = alive(id)
    return job === undefined ? noJob() : json(200, view(request, job))
  }

  /** The users as they were half-way through the job: exactly the chosen fields, where a user has them. */
  function* lines({ order, startedMillis }: Job): Generator<string> {
    const { connectionId: only, fields, limit } = order
    const users = directory
      .asOf(startedMillis + takes / 2)
      .filter((user) => only === undefined || inConnection(user, only))
      .take(limit ?? Number.POSITIVE_INFINITY)
    for (const user of users) {
      const chosen: { [name: string]: unknown } = {}
      for (const name of fields) if (user[name] !== undefined) chosen[name] = user[name]
      yield `${JSON.stringify(chosen)}\n`
    }
  }

  const download = (request: SandboxRequest, id: string): SandboxAnswer => {
    const job = alive(id)
    if (request.headers.authorization !== undefined) {
      return denied(400, "InvalidArgument", "Only one auth mechanism allowed")
    }
    const expires = request.query.get("Expires") ?? ""
    const valid = request.query.get("Signature") === sign(id, expires) && now() < Number(expires) * 1000
    if (job === undefined || !valid || !isOver(job)) return denied(403, "AccessDenied", "Access denied")
    const texts = flawed(lines(job), job.flaw, directory.count())
    const chunks = gzipped(blocks(texts), job.flaw === "truncated_gzip")
    return { status: 200, headers: { "content-type": "application/gzip" }, body: "", chunks }
  }

  return { create, get, download }
}

function* blocks(lines: Iterable<string>): Generator<string> {
  let held: Array<string> = []
  for (const line of lines) {
    if (held.push(line) < block) continue
    yield held.join("")
    held = []
  }
  if (held.length > 0) yield held.join("")
}

function* flawed(lines: Iterable<string>, flaw: ExportFlaw | undefined, count: number): Generator<string> {
  let nth = 0
  for (const line of lines) {
    nth += 1
    if ((flaw === "short" || flaw === "truncated_gzip") && nth > (count * 2) / 3) return
    if (flaw === "partial_line" && nth === count) {
      yield line.slice(0, line.length / 2)
      return
    }
    if (flaw === "bomb" && nth === count) yield "x".repeat(32 * 1024 * 1024)
    yield line
    if (flaw === "duplicated_lines" && nth % 10 === 0) yield line
  }
}
