/** The calls of Bulk API 2.0. */
import { Protocol, SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Csv from "effect/encoding/Csv"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Stream from "effect/Stream"
import type { Connected, Reply } from "../connection.ts"
import { callFailed, problemOf, type Trouble, writeReason } from "../errors.ts"
import { decode, type Job } from "../shapes.ts"

export interface NewJob {
  readonly object: string
  readonly operation: "upsert" | "update"
  readonly externalIdFieldName?: string
  readonly assignmentRuleId?: string
}

export type ResultFile = "successfulResults" | "failedResults" | "unprocessedrecords"

/** A row of a result file, by column. */
export type Line = Readonly<Record<string, string>>

/** Larger than any record, in code units. */
const LARGEST_LINE = 2_000_000

const nothing = () => Effect.void

/** What is wrong with a job is the route's fault, the allowance's, or passes. */
const failed = (what: string, trouble: Trouble): SinkError => {
  const reason = writeReason(trouble)
  return reason._tag === "BatchRefused" || reason._tag === "Misconfigured"
    ? callFailed(what, trouble)
    : new SinkError({ reason })
}

/** The text of a job's error begins with its code: `InvalidBatch : …`. Of the rest only names of our columns are kept. */
export const jobProblem = ({ errorMessage }: Job, columns: ReadonlyArray<string>) => {
  const says = errorMessage ?? ""
  const [code = ""] = says.split(/[\s:]/, 1)
  const words = new Set(says.split(/[^\w.:]+/))
  const named = columns.filter((name) => words.has(name))
  const problem = problemOf(code, says, named)
  return named.length === 0 ? problem : { ...problem, message: `${problem.message}: ${named.join(", ")}` }
}

export const makeBulkApi = ({ ask, file, allowances }: Connected, headers: Readonly<Record<string, string>>) => {
  const done = <A>(what: string, call: Effect.Effect<Reply<A>, SinkError>): Effect.Effect<A, SinkError> =>
    Effect.flatMap(call, (reply) =>
      reply._tag === "Done" ? Effect.succeed(reply.value) : Effect.fail(failed(what, reply)),
    )

  const find = (id: string) =>
    ask({ name: "bulk.get", request: HttpClientRequest.get(`/jobs/ingest/${id}`), decode: decode.job })

  /** Undefined: Salesforce does not know it. Any other refusal says nothing about it. */
  const look = (id: string): Effect.Effect<Job | undefined, SinkError> =>
    Effect.flatMap(find(id), (reply) => {
      if (reply._tag === "Done") return Effect.succeed(reply.value)
      return reply.status === 404 ? Effect.undefined : Effect.fail(failed("a bulk job was not shown", reply))
    })

  /** An answer that was lost may stand for success: the job's state tells. */
  const close = Effect.fnUntraced(function* (id: string, state: "UploadComplete" | "Aborted") {
    const reply = yield* ask({
      name: "bulk.close",
      request: HttpClientRequest.patch(`/jobs/ingest/${id}`).pipe(
        HttpClientRequest.setHeaders(headers),
        HttpClientRequest.bodyJsonUnsafe({ state }),
      ),
      decode: nothing,
    })
    if (reply._tag === "Done") return
    const found = yield* done("a bulk job was not closed", find(id))
    if (found.state === "Open") return yield* failed("a bulk job was not closed", reply)
  })

  /** A file that broke off may be there or not; the job is not used any more then. */
  const upload = (id: string, rows: Stream.Stream<Line, never>, columns: ReadonlyArray<string>) =>
    done(
      "the rows of a bulk job were refused",
      ask({
        name: "bulk.upload",
        request: HttpClientRequest.put(`/jobs/ingest/${id}/batches`).pipe(
          HttpClientRequest.setHeaders(headers),
          HttpClientRequest.bodyStream(
            rows.pipe(Stream.pipeThroughChannel(Csv.encode({ columns: [...columns], headers: true, newline: "\n" }))),
            { contentType: "text/csv" },
          ),
        ),
        repeatable: false,
        decode: nothing,
      }),
    )

  /** Only memory for a part of it is taken, whatever its size. Files can hold NUL. */
  const results = (id: string, name: ResultFile): Stream.Stream<ReadonlyArray<Line>, SinkError> =>
    Stream.unwrap(file(`bulk.${name}`, `/jobs/ingest/${id}/${name}`)).pipe(
      Stream.map((bytes) => (bytes.includes(0) ? bytes.filter((byte) => byte !== 0) : bytes)),
      Stream.pipeThroughChannel(Csv.decode({ headers: true, maxRecordSize: LARGEST_LINE, ignoreEmptyLines: true })),
      Stream.mapError((error) => (error instanceof SinkError ? error : notCsv(error.line))),
      Stream.chunks,
    )

  return {
    /** Nothing takes effect before it is closed, so one that nobody knows of is harmless. */
    create: (job: NewJob) =>
      done(
        "a bulk job was refused",
        ask({
          name: "bulk.create",
          request: HttpClientRequest.post("/jobs/ingest").pipe(
            HttpClientRequest.setHeaders(headers),
            HttpClientRequest.bodyJsonUnsafe({
              ...job,
              contentType: "CSV",
              columnDelimiter: "COMMA",
              lineEnding: "LF",
            }),
          ),
          decode: decode.job,
        }),
      ),
    upload,
    close,
    look,
    results,
    /** Batches of the day that are left, where the organization says. */
    batchesLeft: Effect.map(allowances, ({ DailyBulkApiBatches }) => DailyBulkApiBatches),
  }
}

export type BulkApi = ReturnType<typeof makeBulkApi>

const notCsv = (line: number) =>
  new SinkError({ reason: new Protocol({ message: `Salesforce: line ${line} of a result file is no CSV` }) })
