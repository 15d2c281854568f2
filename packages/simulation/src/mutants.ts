/**
 * Faults put into the engine's source one at a time: each must be noticed by the oracles. A patch that no longer
 * applies fails the suite, so that the list stays true to the engine.
 */
import { jobMutants } from "./jobMutants.ts"
import { type Mutant, one } from "./mutant.ts"

const mark = "yield* ctx.transact(state.sending.mark(mark, entries.map(markOf)))"

const batchLane: ReadonlyArray<Mutant> = [
  one(
    "checkpoint before ack",
    "engine/run/frontier.ts",
    "if (page.position === undefined || page.open - (settling.get(page) ?? 0) > 0) break",
    "if (page.position === undefined) break",
  ),
  {
    name: "dropped last batch",
    edits: [
      {
        file: "engine/run/workers.ts",
        find: "yield* send(ctx, state, entries)",
        replace:
          'if (!(state.flushing && lane.waiting() === 0)) yield* send(ctx, state, entries)\n        else yield* settle(ctx, state, { ...nothingSettled, rows: new Map([["unchanged", entries]]) })',
      },
      {
        file: "engine/run/workers.ts",
        find: 'import { send } from "./send.ts"',
        replace: 'import { send } from "./send.ts"\nimport { nothingSettled, settle } from "./settle.ts"',
      },
    ],
  },
  one(
    "swallowed row error",
    "engine/run/outcomes.ts",
    "Rejected: ({ code, message, fields }) =>",
    'Rejected: ({ code, message, fields }) => code !== "" ? undefined :',
  ),
  one(
    "repeated POST",
    "engine/run/send.ts",
    "if (mayHaveWritten(reason) && !state.writer.repeatable) {",
    "if (mayHaveWritten(reason) && state.writer.repeatable === undefined) {",
  ),
  one(
    "off-by-one page",
    "engine/run/frontier.ts",
    "const last = found.at(-1)",
    "const last = found.length === 0 ? undefined : (pages[found.length] ?? found.at(-1))",
  ),
  one(
    "ack on the first of two sinks",
    "engine/run/read.ts",
    "open: records.length * ctx.states.length,",
    "open: records.length,",
  ),
  one(
    "ignored dead-letter failure",
    "engine/run/settle.ts",
    "yield* state.letters.put(settlement.letters, ctx.runId, at)",
    "yield* Effect.ignore(state.letters.put(settlement.letters, ctx.runId, at))",
    285,
  ),
  one(
    "a row refused after an unanswered try is called unchanged",
    "engine/run/send.ts",
    "...settlementOf(ctx, state, answered, marked.inDoubt), also }",
    "...settlementOf(ctx, state, answered, false), also }",
    45,
  ),
  one("no write-ahead mark", "engine/run/send.ts", mark, ""),
  one(
    "mark only for new ids",
    "engine/run/send.ts",
    mark,
    "yield* ctx.transact(state.sending.mark(mark, entries.filter((entry) => entry.row.remoteId === undefined).map(markOf)))",
    115,
  ),
  one(
    "parked rows not judged again",
    "engine/run/arrive.ts",
    "const known = knownOf(entry)",
    "const known = arrivals.length === 0 ? { mine: undefined, holder: undefined, letter: undefined } : knownOf(entry)",
  ),
  {
    name: "seen ids outside the position's transaction",
    from: 700,
    edits: [
      {
        file: "engine/run/settle.ts",
        find: "for (const page of passed.pages) yield* ctx.checkpoints.see(scan.id, page.keys)",
        replace: "",
      },
      {
        file: "engine/run/settle.ts",
        find: "yield* ctx.transact(write(ctx, state, settlement, passed))",
        replace:
          "yield* ctx.transact(write(ctx, state, settlement, passed))\n    if (passed !== undefined && ctx.scan.tracksKeys) for (const page of passed.pages) yield* ctx.transact(ctx.checkpoints.see(ctx.scan.id, page.keys))",
      },
      {
        file: "engine/run/settle.ts",
        find: "yield* ctx.transact(savePosition(ctx, passed, yield* DateTime.now))",
        replace:
          "yield* ctx.transact(savePosition(ctx, passed, yield* DateTime.now))\n    if (ctx.scan.tracksKeys) for (const page of passed.pages) yield* ctx.transact(ctx.checkpoints.see(ctx.scan.id, page.keys))",
      },
    ],
  },
  one(
    "a scan begun anew keeps the old position",
    "engine/run/resume.ts",
    "yield* checkpoints.save({ covers: scan.covers, position: Option.none(), scan: scan.id, open: true }, at)",
    "yield* Effect.succeed(at)",
    480,
  ),
  one(
    "marks forgotten by nobody",
    "engine/run/recover.ts",
    "yield* store.ledger.forget(marks)\n          yield* store.letters.put(letters,",
    "yield* store.letters.put(letters,",
  ),
  one(
    "rows left by a crash sent again where that is not harmless",
    "engine/run/recover.ts",
    "const letters = repeatable ? [] : marks.map(lostLetter)",
    "const letters = [lostLetter].flatMap(() => [])",
  ),
  one(
    "an older version replaces a newer one",
    "engine/run/judge.ts",
    'if (isOverrun(record, known.mine)) return { _tag: "Settle", as: "superseded" }',
    "",
    285,
  ),
  one(
    "the version that came last wins",
    "engine/run/entry.ts",
    "record.version !== undefined && than.version !== undefined && record.version < than.version",
    "record.version !== undefined && than.version !== undefined && record.version > than.version",
    150,
  ),
  one(
    "one id in two batches in flight",
    "engine/run/admission.ts",
    "if (held !== undefined && !isWaiting(held)) return true",
    'if (held !== undefined && !isWaiting(held) && held.place !== "inFlight") return true',
  ),
  one(
    "deletions without asking the source",
    "engine/run/reconcile.ts",
    'if (found.every((record) => record.change === "delete")) gone.push(candidate)',
    "if (found.length >= 0) gone.push(candidate)",
    55,
  ),
  one(
    "a batch's mark is left when it is settled",
    "state/sending.ts",
    "(rest.length === 0 ? unmark(batch) : mark(batch, rest))",
    "mark(batch, rest)",
  ),
  one("superseded rows not counted", "engine/run/settle.ts", 'tallied("superseded", settlement.replaced),', "", 65),
  one(
    "the finished scan forgets its last position",
    "engine/run/run.ts",
    'const position = ctx.pipeline.sync === "full" ? Option.none() : (saved?.position ?? ctx.request.from)',
    "const position = Option.fromUndefinedOr(saved?.position).pipe(Option.flatten)",
  ),
]

export const mutants: ReadonlyArray<Mutant> = [...batchLane, ...jobMutants]
