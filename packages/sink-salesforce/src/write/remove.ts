/** Deletes records whose source is gone: into the recycle bin, two hundred a call. */
import { Outcome, type Row, SinkError } from "@sluice/core"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { readProblems, writeReason } from "../errors.ts"
import type { Seek } from "../match/seek.ts"
import { decode, type Result } from "../shapes.ts"
import { CHUNK_ROWS } from "./pace.ts"
import type { Writing } from "./send.ts"
import { rejected } from "./verdict.ts"

interface Known {
  readonly row: Row
  readonly id: string
}

const deleted = (row: Row): Outcome => Outcome.Delivered({ id: row.id, effect: "deleted" })

/** What is gone already is as it should be. */
const outcomeOf = ({ row }: Known, result: Result | undefined): Outcome => {
  const [problem] = readProblems(result?.errors ?? [])
  if (result?.success === true || problem?.handling === "stale") return deleted(row)
  if (problem === undefined || problem.handling === "lock") {
    return Outcome.Deferred({ id: row.id, message: problem?.message ?? "Salesforce: the deletion was not answered" })
  }
  return rejected({ row }, problem)
}

const removeChunk = Effect.fnUntraced(function* ({ connected, headers }: Writing, chunk: ReadonlyArray<Known>) {
  const reply = yield* connected.ask({
    name: "delete",
    request: HttpClientRequest.delete("/composite/sobjects").pipe(
      HttpClientRequest.setUrlParams({ ids: chunk.map(({ id }) => id).join(","), allOrNone: "false" }),
      HttpClientRequest.setHeaders(headers),
    ),
    decode: decode.results(chunk.length),
  })
  if (reply._tag === "Trouble") return yield* new SinkError({ reason: writeReason(reply) })
  return chunk.map((known, n) => outcomeOf(known, reply.value[n]))
})

/** By the ledger's id, else by key. */
export const remove = Effect.fnUntraced(function* (
  writing: Writing,
  seek: Seek,
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
        removeChunk(writing, chunk),
        ({ reason }) => new SinkError({ reason, ...(outcomes.length > 0 ? { settled: [...outcomes] } : {}) }),
      )),
    )
  }
  return outcomes
})
