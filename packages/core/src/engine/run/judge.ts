/** What a mapped record means for its destination, by what the ledger and the dead letters know. Pure. */
import type { Row, SourceRecord } from "../../plugin/record.ts"
import type { Writer } from "../../plugin/sink.ts"
import { place } from "../../state/cipher.ts"
import type { DeadLetter, StoredDeadLetter } from "../../state/deadLetters.ts"
import type { LedgerRow } from "../../state/ledger.ts"
import { isIrreversible } from "../pipeline.ts"
import type { RunContext } from "./context.ts"
import type { Settled } from "./counts.ts"
import type { Arrival, Write } from "./entry.ts"
import type { RouteState } from "./routeState.ts"

export type Verdict =
  | { readonly _tag: "Send"; readonly write: Write }
  | {
      readonly _tag: "Settle"
      readonly as: Settled
      readonly letter?: DeadLetter
      /** Its ledger row goes: what it had is another record's now. */
      readonly removed?: boolean
      /** Delivered earlier and left alone now: deleted at the source, or excluded by `where`. */
      readonly kept?: "absent" | "left"
    }

export interface Known {
  /** The record's own ledger row. */
  readonly mine: LedgerRow | undefined
  /** Another record's ledger row with the same row key: the mapped one, of a deletion that of `mine`. */
  readonly holder: LedgerRow | undefined
  readonly letter: StoredDeadLetter | undefined
}

/** Stands for the content of a deletion, where a row has the hash of its fields. */
const deletionHash = "delete"

/** What judging takes of a run, so that mapping tests are judged by the same code. */
export type Judging = Pick<RunContext, "pipeline" | "force" | "sha256"> & {
  readonly cipher: Pick<RunContext["cipher"], "seal">
}
export type JudgedRoute = Pick<RouteState, "route" | "ns" | "validate" | "spools"> & {
  readonly writer: Pick<Writer, "limits" | "refuse" | "partition">
}

export const judge = (ctx: Judging, state: JudgedRoute, arrival: Arrival, known: Known): Verdict => {
  const { mapped } = arrival
  const { record } = mapped
  if (isOverrun(record, known.mine)) return { _tag: "Settle", as: "superseded" }
  switch (mapped._tag) {
    case "Filtered":
      return judgeFiltered(state, arrival, known)
    case "Invalid":
      return {
        _tag: "Settle",
        as: "rejected",
        letter: makeLetter(ctx, state, arrival, {
          kind: "invalid",
          code: mapped.issues[0]?.code ?? "invalid",
          message: mapped.issues.map((issue) => `${issue.source} → ${issue.field}: ${issue.message}`).join("; "),
          fields: mapped.issues.map((issue) => issue.field),
          hash: null,
          row: undefined,
        }),
      }
    case "Row":
      return mapped.row.change === "delete"
        ? judgeDelete(state, arrival, known)
        : judgeRow(ctx, state, arrival, mapped.row, mapped.canonical, known)
  }
}

export const isOverrun = (record: SourceRecord, mine: LedgerRow | undefined): boolean =>
  record.version !== undefined && typeof mine?.version === "string" && record.version < mine.version

/** Of two records with one version the first keeps the key, or they would take it from each other in every run. */
const isNewer = (record: SourceRecord, holder: LedgerRow | undefined): boolean =>
  typeof holder?.version !== "string" || (record.version !== undefined && record.version > holder.version)

const judgeFiltered = (state: JudgedRoute, arrival: Arrival, { mine, holder }: Known): Verdict => {
  if (mine === undefined) return { _tag: "Settle", as: "filtered" }
  const { onDelete, onLeave } = state.route
  if (onLeave === "keep" || onDelete === "keep") return { _tag: "Settle", as: "filtered", kept: "left" }
  if (isTakenOver(mine, holder)) return { _tag: "Settle", as: "filtered", removed: true }
  return { _tag: "Send", write: deletion(state, arrival, mine) }
}

/** Two claimed one row key and an answer was lost: a deletion could take what the other has. */
const isTakenOver = (mine: LedgerRow, holder: LedgerRow | undefined): boolean =>
  holder !== undefined && (mine.remote_id === null || holder.remote_id === null || mine.remote_id === holder.remote_id)

const judgeDelete = (state: JudgedRoute, arrival: Arrival, { mine, holder, letter }: Known): Verdict => {
  if (mine === undefined) return { _tag: "Settle", as: "unchanged" }
  const isFromSource = arrival.pages.length > 0
  if (state.route.onDelete === "keep" || (isFromSource && isIrreversible(state.route))) {
    return { _tag: "Settle", as: "unchanged", kept: "absent" }
  }
  if (isTakenOver(mine, holder)) return { _tag: "Settle", as: "unchanged", removed: true }
  return knownRefusal(arrival, letter, deletionHash) ?? { _tag: "Send", write: deletion(state, arrival, mine) }
}

const deletion = (state: JudgedRoute, arrival: Arrival, mine: LedgerRow): Write => {
  const row: Row = { id: arrival.id, key: mine.row_key, change: "delete", fields: {}, ...remote(mine.remote_id) }
  return { row, hash: null, bytes: 0, partition: state.writer.partition?.(row), displaces: undefined }
}

const judgeRow = (
  ctx: Judging,
  state: JudgedRoute,
  arrival: Arrival,
  mapped: Row,
  canonical: string,
  { mine, holder, letter }: Known,
): Verdict => {
  const { route } = state
  const hash = rowHash(ctx, state, canonical)
  const unchanged = mine !== undefined && mine.hash === hash && mine.row_key === mapped.key
  if (unchanged && !ctx.force) return { _tag: "Settle", as: "unchanged" }

  const refuse = (
    kind: "rejected" | "key_conflict",
    code: string,
    message: string,
    fields: ReadonlyArray<string>,
  ): Verdict => ({
    _tag: "Settle",
    as: "rejected",
    letter: makeLetter(ctx, state, arrival, { kind, code, message, fields, hash, row: mapped }),
  })

  const takesOver = route.onKeyConflict === "newest" && isNewer(arrival.mapped.record, holder)
  if (holder !== undefined && !takesOver) {
    return refuse(
      "key_conflict",
      "key_conflict",
      `records ${holder.id} and ${arrival.id} have the same ${route.mapping.key}; map a key that tells them apart`,
      [route.mapping.key],
    )
  }
  if (!ctx.force) {
    const refused = knownRefusal(arrival, letter, hash)
    if (refused !== undefined) return refused
  }

  const remoteId = mine?.remote_id ?? holder?.remote_id ?? null
  const row: Row = remoteId === null ? mapped : { ...mapped, remoteId }
  const broken = state.validate(row.fields)[0]
  if (broken !== undefined) return refuse("rejected", broken.code, broken.message, [broken.field])
  const refusal = state.writer.refuse?.(row)
  if (refusal !== undefined) return refuse("rejected", refusal.code, refusal.message, refusal.fields)

  const bound = state.writer.limits.bytes
  const isMeasured = bound !== undefined || state.spools
  const bytes = isMeasured ? new TextEncoder().encode(canonical).length : 0
  if (bound !== undefined && bytes > bound) {
    return refuse("rejected", "row_too_large", `the row takes ${bytes} bytes, the destination at most ${bound}`, [])
  }
  return {
    _tag: "Send",
    write: { row, hash, bytes, partition: state.writer.partition?.(row), displaces: holder?.id },
  }
}

/** Of the canonical row and the route's options (rule 14). */
export const rowHash = (
  ctx: Pick<Judging, "sha256">,
  { route }: Pick<JudgedRoute, "route">,
  canonical: string,
): string => ctx.sha256(`${route.optionsFingerprint}\n${canonical}`)

/** The same row is not sent to be refused again; one that may be accepted later is. */
const knownRefusal = (arrival: Arrival, letter: StoredDeadLetter | undefined, hash: string): Verdict | undefined => {
  if (arrival.tally === "recovered" || letter === undefined || letter.hash !== hash) return undefined
  if (letter.kind === "rejected") return { _tag: "Settle", as: "rejected" }
  if (letter.kind === "in_doubt") return { _tag: "Settle", as: "in_doubt" }
  return undefined
}

const remote = (remoteId: string | null) => (remoteId === null ? {} : { remoteId })

export const hashOf = ({ hash }: Write): string => hash ?? deletionHash

export const makeLetter = (
  ctx: Judging,
  state: JudgedRoute,
  arrival: Arrival,
  why: Pick<DeadLetter, "kind" | "code" | "message" | "fields" | "hash"> & { readonly row: Row | undefined },
): DeadLetter => {
  const { record } = arrival.mapped
  const { row, ...said } = why
  const payload =
    ctx.pipeline.deadLetters.payload === "none"
      ? null
      : ctx.cipher.seal(JSON.stringify({ record, row: row ?? null }), letterPlace(state.ns, arrival.id))
  return {
    id: arrival.id,
    row_key: row?.key ?? null,
    ...said,
    version: record.version ?? null,
    payload,
    position: arrival.position === undefined ? null : JSON.stringify(arrival.position),
  }
}

/** Where a dead letter's payload is kept, for the cipher. */
export const letterPlace = (ns: number, id: string): string => place("dead_letters", String(ns), id)
