/** The routes of Bulk API 2.0 ingest: create, upload, close, poll, results, delete. salesforce.md §2.7. */
import {
  empty,
  isObject,
  type JsonObject,
  json,
  own,
  parseJson,
  type SandboxAnswer,
  type SandboxRequest,
  Unmodelled,
} from "../../exchange.ts"
import type { FaultKind } from "../../faults.ts"
import type { Route } from "../../vendor.ts"
import { bytesOf, jsonOf } from "../call.ts"
import { badJson, failure } from "../errors.ts"
import { idOf } from "../ids.ts"
import { keyOf, rowsFault } from "../saving.ts"
import type { Session } from "../session.ts"
import type { Usage } from "../usage.ts"
import { delimiters } from "./csv.ts"
import { isOver, type Job, jobAnswer, progressAnswer } from "./job.ts"
import { partsOf } from "./multipart.ts"
import { makeProcessing } from "./processing.ts"
import { type ResultFile, resultAnswer } from "./results.ts"

export interface Ingest {
  readonly routes: ReadonlyArray<Route>
  readonly advance: () => void
  /** How long a job takes from now on. */
  readonly take: (millis: number) => void
}

const maxUpload = 150_000_000
const maxMultipart = 100_000
const retention = 7 * 86_400_000

const operations = ["insert", "update", "upsert", "delete", "hardDelete"] as const
const isOperation = (value: unknown): value is (typeof operations)[number] => operations.some((each) => each === value)
const isDelimiter = (value: unknown): value is keyof typeof delimiters =>
  typeof value === "string" && Object.hasOwn(delimiters, value)

const invalidJob = (message: string): SandboxAnswer => failure(400, "INVALIDJOB", message)
const invalidState = (message: string): SandboxAnswer => failure(400, "INVALIDJOBSTATE", message)
const noJob = (): SandboxAnswer => failure(404, "NOT_FOUND", "The requested resource does not exist")

export const makeIngest = (session: Session, usage: Usage, millis: number): Ingest => {
  const { org } = session
  const jobs: Array<Job | undefined> = []
  const processing = makeProcessing(session, usage)
  let takes = millis

  const find = (id: string): Job | undefined =>
    jobs.find(
      (job) =>
        job !== undefined &&
        job.id.slice(0, 15) === id.slice(0, 15) &&
        org.now() < job.created + retention &&
        !(job.fault?.fate === "lost" && job.state !== "Open"),
    )

  const withJob =
    (
      run: (job: Job, request: SandboxRequest, version: string, fault: FaultKind | undefined) => SandboxAnswer,
    ): Route["run"] =>
    (request, [version = "", id = ""], fault) => {
      const job = find(id)
      return job === undefined ? noJob() : run(job, request, version, fault)
    }

  const make = (
    request: SandboxRequest,
    version: string,
    body: JsonObject,
    fault: FaultKind | undefined,
  ): Job | SandboxAnswer => {
    const object = own(body, "object")
    const operation = own(body, "operation")
    const delimiter = own(body, "columnDelimiter") ?? "COMMA"
    const ending = own(body, "lineEnding") ?? "LF"
    const keyName = own(body, "externalIdFieldName")
    const assignmentRuleId = own(body, "assignmentRuleId")
    if (typeof object !== "string") return invalidJob("object is required")
    if (!isOperation(operation)) return invalidJob(`operation is one of ${operations.join(", ")}`)
    if (!isDelimiter(delimiter)) return invalidJob(`columnDelimiter is one of ${Object.keys(delimiters).join(", ")}`)
    if (ending !== "LF" && ending !== "CRLF") return invalidJob("lineEnding is one of LF, CRLF")
    if ((own(body, "contentType") ?? "CSV") !== "CSV") return invalidJob("contentType is CSV")
    if (operation === "upsert" && typeof keyName !== "string")
      return invalidJob(`External ID was blank for ${object}. An External ID must be specified for upsert`)
    const table = org.table(object)
    const key = operation === "upsert" && table !== undefined ? keyOf(table, String(keyName)) : undefined
    if (operation === "upsert" && table !== undefined && key === undefined)
      return invalidJob(
        `Field name provided, ${keyName} does not match an External ID, Salesforce Id, or indexed field for ${object}`,
      )
    const now = org.now()
    const job: Job = {
      id: idOf("750", jobs.length),
      number: jobs.length,
      object,
      table,
      operation: operation === "hardDelete" ? "delete" : operation,
      hard: operation === "hardDelete",
      key,
      delimiter,
      ending,
      assignmentRuleId: typeof assignmentRuleId === "string" ? assignmentRuleId : undefined,
      call: session.call(request, version),
      created: now,
      fault: fault?.kind === "bulk" ? fault : undefined,
      rowsFault: undefined,
      state: "Open",
      changed: now,
      upload: undefined,
      rows: undefined,
      errorMessage: undefined,
      startsAt: 0,
      endsAt: 0,
      order: [],
      done: 0,
      processed: 0,
      failed: 0,
      retries: 0,
    }
    jobs.push(job)
    return job
  }

  const create: Route["run"] = (request, [version = ""], fault) => {
    const parts = partsOf(request.headers["content-type"] ?? "", request.body)
    const body =
      parts === undefined ? jsonOf(request) : parseJson(parts.find(({ name }) => name === "job")?.content ?? "")
    if (!isObject(body)) return badJson()
    const content = parts?.find(({ name }) => name === "content")?.content
    if (content !== undefined && content.length > maxMultipart)
      return failure(400, "CLIENTINPUTERROR", `a multipart job takes ${maxMultipart} characters`)
    const job = make(request, version, body, fault)
    if ("status" in job) return job
    if (content !== undefined) {
      job.upload = Buffer.from(content, "utf8")
      processing.close(job, takes)
    }
    return json(200, jobAnswer(job, version))
  }

  const upload = withJob((job, request) => {
    if (job.state !== "Open" || job.upload !== undefined) return invalidState("Data was already uploaded to this job")
    if (!/^text\/csv\b/i.test(request.headers["content-type"] ?? ""))
      return failure(415, "UNSUPPORTED_MEDIA_TYPE", "The content type is text/csv")
    const bytes = bytesOf(request)
    if (bytes.length > maxUpload) return failure(400, "CLIENTINPUTERROR", "The upload is larger than 150 MB")
    job.upload = bytes
    return empty(201)
  })

  const close = withJob((job, request, version, fault) => {
    const body = jsonOf(request)
    const state = isObject(body) ? own(body, "state") : undefined
    if (state === "Aborted") {
      if (isOver(job)) return invalidState(`Aborting already ${job.state} Job not allowed`)
      job.state = "Aborted"
      job.changed = org.now()
      return json(200, jobAnswer(job, version))
    }
    if (state !== "UploadComplete") return invalidJob("state is one of UploadComplete, Aborted")
    if (job.state !== "Open") return invalidState(`Closing already ${job.state} Job not allowed`)
    if (job.upload === undefined) return invalidState("No data was uploaded to this job")
    job.rowsFault = rowsFault(fault)
    processing.close(job, takes)
    return json(200, jobAnswer(job, version))
  })

  const remove = withJob((job) => {
    if (job.state === "Open" || job.state === "InProgress") return invalidState(`Deleting ${job.state} Job not allowed`)
    if (job.state === "UploadComplete") job.state = "Aborted"
    jobs[job.number] = undefined
    return empty(204)
  })

  const results = (file: ResultFile) =>
    withJob((job) => (isOver(job) ? resultAnswer(job, file) : invalidState(`The job is ${job.state}`)))

  const list: Route["run"] = ({ query }, [version = ""]) => {
    const unknown = [...query.keys()].find((name) => !["isPkChunkingEnabled", "jobType"].includes(name))
    if (unknown !== undefined) throw new Unmodelled(`the parameter ${unknown} of GET /jobs/ingest`)
    const records = jobs.flatMap((job) =>
      job === undefined ? [] : [{ ...jobAnswer(job, version), jobType: "V2Ingest" }],
    )
    return json(200, { done: true, nextRecordsUrl: null, records })
  }

  const base = "/services/data/:version/jobs/ingest"
  return {
    advance: processing.advance,
    take: (next) => {
      takes = next
    },
    routes: [
      { method: "POST", pattern: base, kind: "write", run: create },
      { method: "GET", pattern: base, kind: "read", run: list },
      { method: "PUT", pattern: `${base}/:id/batches`, kind: "write", run: upload },
      { method: "PATCH", pattern: `${base}/:id`, kind: "write", run: close },
      { method: "DELETE", pattern: `${base}/:id`, kind: "write", run: remove },
      {
        method: "GET",
        pattern: `${base}/:id`,
        kind: "read",
        run: withJob((job, _, version) => json(200, progressAnswer(job, version))),
      },
      { method: "GET", pattern: `${base}/:id/successfulResults`, kind: "read", run: results("successfulResults") },
      { method: "GET", pattern: `${base}/:id/failedResults`, kind: "read", run: results("failedResults") },
      { method: "GET", pattern: `${base}/:id/unprocessedrecords`, kind: "read", run: results("unprocessedrecords") },
    ],
  }
}
