/** The rules of the design, asked of what happened at the destinations and of what the state says. */
import type { PipelineReport, SourceRecord } from "@sluice/core"
import type { Destination } from "./destination.ts"
import type { Disk } from "./disk.ts"
import { iso, type Person, type Truth } from "./people.ts"
import type { RouteScenario } from "./scenario.ts"
import { Violation } from "./violation.ts"

/** A page that the source handed to the engine in this life. */
export interface Handed {
  readonly position: string
  readonly records: ReadonlyArray<SourceRecord>
}

/** What a sink can tell of the process that uses it. */
export interface Probe {
  /** A process begins. */
  readonly began: () => void
  /** It died: its last batches are in doubt, and nothing is in flight any more. */
  readonly died: () => void
  /** It ended by itself. */
  readonly ended: () => void
  /**
   * Delivered outcomes that the engine was given since the process began, where they can be counted. Those of a job that
   * goes on need not have been committed.
   */
  readonly acknowledged: (() => { readonly least: number; readonly most: number }) | undefined
}

export interface RouteUnderTest {
  readonly scenario: Pick<RouteScenario, "key" | "onDelete" | "onLeave">
  readonly destination: Destination
  readonly probe: Probe
  /** The hash by which the ledger knows a content, where it can be told. */
  readonly hashOf?: (content: string) => string
}

/** I1: every record is accounted for, and what is counted as delivered is what the destination acknowledged. */
export const checkReport = (
  report: PipelineReport,
  routes: ReadonlyArray<RouteUnderTest>,
  stateFailed: boolean,
): void => {
  if (report.error?.code === "Bug") throw new Violation("I1", report.error.message)
  if (stateFailed && report.status === "completed") throw new Violation("rule 4", "a failed commit went unnoticed")
  for (const { destination, probe } of routes) {
    const { route } = destination.options
    const counts = report.routes[route]
    if (counts === undefined) throw new Violation("I1", `no counts of ${route}`)
    const accounted =
      counts.delivered +
      counts.unchanged +
      counts.filtered +
      counts.superseded +
      counts.rejected +
      counts.in_doubt +
      counts.pending
    if (counts.read !== accounted)
      throw new Violation("I1", `${route}: ${counts.read} read, ${accounted} accounted for`)
    if (report.status === "completed" && counts.pending > 0)
      throw new Violation("I1", `${route}: completed and pending`)
    const recovered = report.recovered[route]?.delivered ?? 0
    const claimed = counts.delivered + recovered
    const acknowledged = probe.acknowledged?.()
    // What replays as unchanged counts as recovered without a write.
    if (!stateFailed && acknowledged !== undefined) {
      const { least, most } = acknowledged
      const isRight = counts.delivered <= most && claimed >= least
      if (!isRight) throw new Violation("I1", `${route}: ${claimed} claimed, ${least} to ${most} acknowledged`)
    }
  }
}

/** Whether another user ever claimed an e-mail that this one had: who has it then is a matter of its own. */
const isContested = ({ scenario }: RouteUnderTest, people: Truth, id: string): boolean => {
  if (scenario.key !== "email") return false
  const mine = new Set(people.versions(id).map((person) => person.email))
  return people.ids().some((other) => other !== id && people.versions(other).some((person) => mine.has(person.email)))
}

/** I2: what the saved position covers is settled on every route; at a scan's end, everything it handed over. */
export const checkSettled = (
  disk: Disk,
  routes: ReadonlyArray<RouteUnderTest>,
  people: Truth,
  handed: ReadonlyArray<Handed>,
  /** The position that the process began with, or "all" where it has completed the scan. */
  extent: { readonly from: string | null | undefined } | "all",
): void => {
  const saved = disk.checkpoint()?.position
  const last = extent === "all" ? handed.length - 1 : handed.findIndex((page) => page.position === saved)
  // Several pages may have one position: it covers what came before the first of them.
  const covered = extent !== "all" && extent.from === saved ? 0 : last + 1
  if (covered === 0) return
  for (const route of routes) {
    const letters = disk.deadLetters(route.destination.options.route)
    for (const record of handed.slice(0, covered).flatMap((page) => page.records)) {
      const isFine =
        letters.has(record.key) || isSettled(route, people, record) || isContested(route, people, record.key)
      if (!isFine) {
        const { route: name } = route.destination.options
        throw new Violation("I2", `${name}: ${record.key} of ${record.version} is passed and not settled`)
      }
    }
  }
}

const isSettled = ({ destination, scenario }: RouteUnderTest, people: Truth, record: SourceRecord): boolean => {
  const { content } = destination.options
  const held = destination.track(record.key)?.content
  const since = people.versions(record.key).filter((person) => iso(person.updated) >= (record.version ?? ""))
  if (held === undefined && destination.track(record.key) !== undefined && destination.options.mayDelete(record.key)) {
    return true
  }
  // A newer version may have been written, without an answer: this one must not be written over it.
  if (destination.track(record.key)?.doubtful === true && since.length > 1) return true
  return since.some((person) => {
    const wanted = content(person)
    if (wanted !== undefined) return wanted === held
    return held === undefined || scenario.onLeave === "keep"
  })
}

/** I3: the faults have stopped and a run has completed: the destination is what the source is. */
export const checkConverged = (disk: Disk, routes: ReadonlyArray<RouteUnderTest>, people: Truth): void => {
  for (const route of routes) {
    const letters = disk.deadLetters(route.destination.options.route)
    const ledger = disk.ledger(route.destination.options.route)
    for (const id of people.ids()) {
      if (isContested(route, people, id)) continue
      const problem = checkUser(route, people, id, letters.get(id), ledger.has(id))
      if (problem !== undefined) throw new Violation("I3", `${route.destination.options.route}: ${id}: ${problem}`)
    }
  }
}

/** What a completed run leaves of batches and jobs: nothing. */
export const checkNothingLeft = (disk: Disk): void => {
  const { jobs, marks, spooled } = disk.leftovers()
  if (marks > 0) throw new Violation("I3", "a batch is still marked as being sent")
  if (jobs + spooled > 0) throw new Violation("I3", `${jobs} jobs and ${spooled} spooled rows are left`)
}

/** I6: what the ledger says was written is what the destination has, but for what is being written. */
export const checkLedger = (disk: Disk, routes: ReadonlyArray<RouteUnderTest>, people: Truth): void => {
  for (const route of routes) {
    const { destination, hashOf } = route
    const { keyMoves, route: name } = destination.options
    if (hashOf === undefined) continue
    const open = new Set([...disk.marked(name), ...disk.inJobs(name)])
    for (const [id, { hash }] of disk.ledger(name)) {
      const track = destination.track(id)
      if (hash === null || open.has(id) || isContested(route, people, id)) continue
      if (keyMoves && track?.everDoubtful === true) continue
      const content = track?.content
      if (content === undefined || hashOf(content) !== hash) {
        throw new Violation("I6", `${name}: the ledger claims another ${id} than ${content ?? "none"}`)
      }
    }
  }
}

const checkUser = (
  { destination, scenario }: RouteUnderTest,
  people: Truth,
  id: string,
  letter: string | undefined,
  inLedger: boolean,
): string | undefined => {
  const person = people.current(id)
  const held = destination.track(id)?.content
  if (person === undefined) {
    const isOrphan = destination.options.keyMoves && destination.track(id)?.everDoubtful === true
    if (held === undefined || isOrphan) return undefined
    return scenario.onDelete === "delete" && letter === undefined ? "is gone at the source and still there" : undefined
  }
  const wanted = destination.options.content(person)
  if (wanted === undefined) {
    const stays = scenario.onLeave === "keep" || scenario.onDelete === "keep"
    const isForgotten = letter === "deferred" && destination.options.forgetsDeferred
    return stays || isForgotten || held === undefined ? undefined : "left and is still there"
  }
  if (held === wanted) {
    const isForgotten = letter === "deferred" && destination.options.forgetsDeferred
    if (!isForgotten && (letter === "deferred" || letter === "rejected" || letter === "invalid"))
      return `is delivered and ${letter}`
    return inLedger ? undefined : "is delivered and not in the ledger"
  }
  return explains(letter, person, destination)
    ? undefined
    : `holds ${held}, not ${wanted} (${letter ?? "no dead letter"})`
}

/** Only what a person must look at may differ from the source. */
const explains = (letter: string | undefined, person: Person, destination: RouteUnderTest["destination"]): boolean => {
  switch (letter) {
    case "rejected":
      return destination.options.refuses(person)
    case "deferred":
      // Neither kept nor to be found again: the run says that it cannot try.
      return destination.options.forgetsDeferred
    case "in_doubt":
      return wasInDoubt(destination, person.user_id)
    default:
      return false
  }
}

const wasInDoubt = (destination: RouteUnderTest["destination"], id: string): boolean => {
  const track = destination.track(id)
  return track?.everUnnamed === true || (!destination.options.repeatable && track?.everDoubtful === true)
}
