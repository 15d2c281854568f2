/** What must hold after every run and at the end of a life, whatever was killed where. */
import type { JournalEntry } from "@sluice/sandbox"
import { assert } from "vitest"
import { contactsByUser, phantoms, pipelineOf } from "./expected.ts"
import type { Attempt, Instant, KillBench } from "./killing.ts"
import { BATCH, type Life } from "./killLives.ts"
import { rivalId } from "./killRival.ts"
import { leftOpen } from "./killState.ts"

/** I7: jobs are taken up before users are read, none is made twice, and a report that is printed says the truth. */
export const judgeRun =
  ({ fate }: Life) =>
  ({ code, importedTwice, left, openAtRead, requests, stderr, stdout }: Attempt): void => {
    assert.strictEqual(openAtRead, 0, "users were asked for before an open job was settled")
    if (left.exporting !== undefined) assert.notInclude(requests, "export", "a second export job")
    // One that failed as a whole has to be sent again.
    if (fate !== "failed") assert.strictEqual(importedTwice, 0, "rows of one job imported twice")
    if (code === null) return
    assert.strictEqual(code, 0, stdout + stderr)
    const recovered = left.jobs.reduce((sum, { rows }) => sum + rows, 0)
    judgeReport(JSON.parse(stdout), recovered)
  }

const ROUTE = "brevo.contacts"

interface Report {
  readonly ok: boolean
  readonly pipelines: ReadonlyArray<{
    readonly status: string
    readonly routes: { readonly [route: string]: { readonly [count: string]: number } }
    readonly recovered: { readonly [route: string]: unknown }
  }>
}

const judgeReport = (report: Report, delivered: number): void => {
  const [pipeline] = report.pipelines
  assert.strictEqual(report.ok, true)
  assert.strictEqual(pipeline?.status, "completed")
  const { read = 0, unchanged = 0, filtered = 0, superseded = 0, ...counts } = pipeline?.routes[ROUTE] ?? {}
  for (const name of ["rejected", "in_doubt", "pending"]) assert.strictEqual(counts[name], 0, name)
  assert.strictEqual((counts.delivered ?? 0) + unchanged + filtered + superseded, read)
  assert.deepStrictEqual(pipeline?.recovered[ROUTE], { delivered, rejected: 0, in_doubt: 0 })
}

/** Where rows go one by one: before that, a job is found again with all that it did. */
const costsRows = ({ hook }: Instant): boolean =>
  hook === undefined || ["mark", "write", "settle", "over"].includes(hook)

/** How often each row was sent: requests of one run for it are one, and an import is another. */
export const makeSendings = () => {
  const sent = new Map<string, number>()
  let from = 0
  const add = (journal: ReadonlyArray<JournalEntry>): void => {
    const keys = journal.slice(from).flatMap(({ key, path }) => (key === undefined ? [] : [{ key, path }]))
    from = journal.length
    const imported = keys.filter(({ path }) => path === "/contacts/import").map(({ key }) => key)
    const single = new Set(keys.filter(({ path }) => path !== "/contacts/import").map(({ key }) => key))
    for (const key of [...imported, ...single]) sent.set(key, (sent.get(key) ?? 0) + 1)
  }
  /** More often than their users had versions. */
  const again = (versions: (key: string) => number): number =>
    [...sent].reduce((sum, [key, count]) => sum + Math.max(0, count - versions(key)), 0)
  return { add, again }
}
export type Sendings = ReturnType<typeof makeSendings>

/** I1 to I5: nothing is lost, made twice, invented, sent again beyond what was in flight, or left behind. */
export const judgeLife = async (
  { file, env, sandbox, state }: KillBench,
  kills: ReadonlyArray<Instant>,
  sendings: Sendings,
): Promise<void> => {
  const pipeline = await pipelineOf(file, env)
  const { control, unmodelled } = sandbox
  const { expected, actual } = await contactsByUser(pipeline, sandbox)
  assert.deepStrictEqual(actual, expected)
  const journal = control.journal().filter(({ key }) => key !== rivalId)
  const created = journal.filter(({ effect }) => effect === "created").map(({ key }) => key)
  assert.strictEqual(new Set(created).size, created.length, "a contact was made twice")
  assert.deepStrictEqual(await phantoms(pipeline, sandbox, journal), [])
  const again = sendings.again((key) => (key === rivalId ? 2 : control.userVersions(key).length))
  assert.isAtMost(again, kills.filter(costsRows).length * BATCH, "rows sent again")
  assert.deepStrictEqual(leftOpen(state), { jobs: [], rest: 0, exporting: undefined })
  assert.deepStrictEqual(unmodelled, [])
}
