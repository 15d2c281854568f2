/** Faults of the job lane: spools, hand-overs, results and what a restart finds of them. */
import { type Mutant, one } from "./mutant.ts"

const job = "engine/run/job.ts"
const recover = "engine/run/recover.ts"
const spooling = "engine/run/spooling.ts"

export const jobMutants: ReadonlyArray<Mutant> = [
  one("job forgotten on restart", recover, "if (left.rows === null) {", "if (left.rows !== 0) {"),
  one(
    "job submitted again although its reference is known",
    recover,
    "const job = makeJob(left, entries)",
    "const job = makeJob({ ...left, ref: null }, entries)",
  ),
  one(
    "a job's reference is not saved",
    job,
    "yield* ctx.transact(state.jobs.put({ batch: job.batch, ref, rows: job.count, bytes: job.bytes }))",
    "",
  ),
  one(
    "a job is handed over before it is noted",
    spooling,
    "Effect.andThen(state.spool.remove(open.batch, replaced), state.jobs.put(stored))",
    "state.spool.remove(open.batch, replaced)",
  ),
  one(
    "a job that a crash cut short is submitted again where that is not harmless",
    recover,
    "else if (left.ref === null && !repeatable) yield* giveUp(ctx, state, job, lost)",
    "else if (left.ref === null && repeatable === undefined) yield* giveUp(ctx, state, job, lost)",
    230,
  ),
  one(
    "a silent hand-over is repeated where that is not harmless",
    job,
    'if (!state.writer.repeatable) return "finish"',
    "",
    100,
  ),
  one(
    "a silent hand-over is forgotten when the run stops",
    job,
    "job.ref === null && !job.doubtful ?",
    "job.ref === null ?",
    410,
  ),
  one("a stop forgets a job that goes on", job, "job.ref === null && !job.doubtful ?", "!job.doubtful ?"),
  one("a stop leaves a job that was never handed over", job, "yield* leave(ctx, state, job)\n  })", "})", 820),
  {
    name: "jobs recovered after reading",
    edits: [
      { file: "engine/run/run.ts", find: "yield* recoverJobs(ctx, state)", replace: "" },
      {
        file: "engine/run/run.ts",
        find: "yield* withSenders(ctx, grace, read(ctx, options))",
        replace:
          "{ yield* withSenders(ctx, grace, read(ctx, options)); for (const state of ctx.states) yield* withSenders(ctx, grace, recoverJobs(ctx, state)) }",
      },
    ],
  },
  one(
    "job rows free before the job has ended",
    "engine/run/settle.ts",
    "if (settlement.concludes === true) state.lane.conclude(entry)",
    "if (settlement.concludes === undefined) state.lane.conclude(entry)",
  ),
  one(
    "rows in a job are judged by the ledger alone",
    "engine/run/lane.ts",
    "for (const entry of launched) flights.depart(entry)",
    "for (const entry of launched) holders.remove(entry)",
  ),
  one(
    "rows without an outcome are delivered",
    job,
    "outcome: Outcome.InDoubt({ id: entry.row.id, message: why })",
    'outcome: Outcome.Delivered({ id: entry.row.id, effect: "updated" })',
    40,
  ),
  one("deferred rows of a job dropped", job, "rest.map((entry) => entry.line),", "[],"),
  one(
    "deferred rows of a job called delivered",
    job,
    "job.deferred.add(outcome.id)\n    return undefined",
    'const held = job.open.get(outcome.id)\n    return held === undefined ? undefined : { entry: held, outcome: Outcome.Delivered({ id: outcome.id, effect: "updated" }) }',
  ),
  one(
    "a spool is dropped before its deferred rows are read",
    job,
    "yield* state.jobs.put({ batch: job.batch, ref: null, rows: null, bytes: job.bytes })",
    "yield* state.jobs.drop(job.batch)",
  ),
  one("a spool is kept after its job", "engine/run/spooled.ts", "yield* ctx.transact(state.jobs.drop(batch))", ""),
  one(
    "replaced lines reach the job",
    spooling,
    "Effect.andThen(state.spool.remove(open.batch, replaced), state.jobs.put(stored))",
    "state.jobs.put(stored)",
    110,
  ),
  one(
    "replaced lines of the next spool forgotten when a job ends",
    "engine/run/spooled.ts",
    "yield* ctx.transact(state.jobs.drop(batch))",
    "lane.takeReplacedLines()\n    yield* ctx.transact(state.jobs.drop(batch))",
    110,
  ),
  one(
    "spooled rows are judged by the ledger alone",
    "engine/run/admission.ts",
    "(held !== undefined && isWaiting(held) ? held : undefined)",
    '(held !== undefined && isWaiting(held) && held.place !== "spooled" ? held : undefined)',
    290,
  ),
  one(
    "parked rows not judged again after a job",
    job,
    "if (state.lane.canUnpark()) yield* arrive(ctx, state, [])",
    "",
    100,
  ),
  one(
    "position committed while a job is open",
    spooling,
    "const job = makeJob(stored, entries, true)",
    "for (const { pages } of entries) for (const page of pages) page.open -= 1\n    const job = makeJob(stored, entries, true)",
  ),
  one(
    "rows of a job that may go on are sent in batches",
    job,
    'return tries < maxAttempts ? "again" : "stop"',
    'return tries < maxAttempts ? "again" : "batches"',
    65,
  ),
  one("a job takes more rows than its limit", spooling, "jobRows(jobs) - lane.spooled()", "jobRows(jobs)"),
  one("a job takes more bytes than its limit", spooling, "- (open?.bytes ?? 0)", ""),
  one(
    "what goes wrong with a job ends nothing",
    spooling,
    "guard(runJob(ctx, state, jobs, job))",
    "Effect.ignoreCause(runJob(ctx, state, jobs, job))",
    180,
  ),
  one(
    "an old spool is busy while it waits for a job",
    spooling,
    "untilOld(lane.isQuiet() ? open : undefined)",
    "untilOld(open)",
  ),
]
