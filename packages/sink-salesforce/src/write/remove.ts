/** Deletes records whose source is gone: into the recycle bin, two hundred a call. */
import { BatchRefused, Outcome, type Row, SinkError } from "@sluice/core"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { type Problem, readProblems, writeReason } from "../errors.ts"
import type { Seek } from "../match/seek.ts"
import { decode, type Result } from "../shapes.ts"
import { byFoundId } from "./aim.ts"
import { CHUNK_ROWS, type Pace } from "./pace.ts"
import type { Writing } from "./send.ts"
import { rejected, verdictOf } from "./verdict.ts"

interface Known {
  readonly row: Row
  readonly id: string
}

const deleted = (row: Row): Outcome => Outcome.Delivered({ id: row.id, effect: "deleted" })

/** Not there any more. A record that is merely out of reach is, and its deletion must not be called done. */
const gone: ReadonlySet<string> = new Set(["ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY"])

const policies = { duplicates: "reject", missing_parent: "wait" } as const

/** What is gone already is as it should be. */
const judged = ({ row, id }: Known, result: Result, object: string): Outcome | Problem => {
  const [problem] = readProblems(result.errors)
  if (result.success || (problem !== undefined && gone.has(problem.code))) return deleted(row)
  const verdict = verdictOf(byFoundId(row, object, id), result, policies)
  if (verdict._tag === "Settled") return verdict.outcome
  return verdict._tag === "Halve" ? verdict.problem : rejected({ row }, verdict.problem)
}

const removeChunk = Effect.fnUntraced(function* (
  { connected, headers }: Writing,
  object: string,
  chunk: ReadonlyArray<Known>,
): Effect.fn.Return<ReadonlyArray<Outcome>, SinkError> {
  const reply = yield* connected.ask({
    name: "delete",
    request: HttpClientRequest.delete("/composite/sobjects").pipe(
      HttpClientRequest.setUrlParams({ ids: chunk.map(({ id }) => id).join(","), allOrNone: "false" }),
      HttpClientRequest.setHeaders(headers),
    ),
    decode: decode.results(chunk.length),
  })
  if (reply._tag === "Trouble") return yield* new SinkError({ reason: writeReason(reply) })
  const all = chunk.flatMap((known, n) => {
    const result = reply.value[n]
    return result === undefined ? [] : [judged(known, result, object)]
  })
  const settled = all.filter((each) => "_tag" in each)
  const halve = all.find((each) => "handling" in each)
  if (halve === undefined) return settled
  const { code, message } = halve
  return yield* new SinkError({ reason: new BatchRefused({ code, message }), settled })
})

export interface Removing {
  readonly writing: Writing
  readonly seek: Seek
  readonly pace: Pace
  readonly object: string
}

/** By the ledger's id, else by key. */
export const remove = Effect.fnUntraced(function* (
  { writing, seek, pace, object }: Removing,
  rows: ReadonlyArray<Row>,
): Effect.fn.Return<ReadonlyArray<Outcome>, SinkError> {
  if (rows.length === 0) return []
  const unknown = rows.filter((row) => row.remoteId === undefined)
  const found = yield* seek.idsOf(unknown)
  const outcomes = unknown.flatMap((row) => {
    const ids = found(row)
    if (ids.length === 0) return [deleted(row)]
    return ids.length === 1 ? [] : [seek.ambiguous(row, ids)]
  })
  const known = rows.flatMap((row): ReadonlyArray<Known> => {
    const id = row.remoteId ?? (found(row).length === 1 ? found(row)[0] : undefined)
    return id === undefined ? [] : [{ row, id }]
  })
  for (const chunk of Arr.chunksOf(known, CHUNK_ROWS)) {
    outcomes.push(
      ...(yield* Effect.mapError(
        pace.through(1, removeChunk(writing, object, chunk)),
        ({ reason, settled = [] }) => new SinkError({ reason, settled: [...outcomes, ...settled] }),
      )),
    )
  }
  return outcomes
})
