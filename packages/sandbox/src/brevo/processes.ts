/**
 * The queue of imports. Nothing runs by itself: `advance` applies what is due by the clock, and is called before
 * anything else is asked of the account, so no timer keeps a process alive and a TestClock drives it whole.
 */
import { type JsonObject, json, type Now, type SandboxAnswer, type SandboxRequest, Unmodelled } from "../exchange.ts"
import type { FaultKind } from "../faults.ts"
import type { Route } from "../vendor.ts"
import { failure } from "./errors.ts"
import type { Import } from "./importBody.ts"
import { whole } from "./lists.ts"
import { addressesOf, type Problems, type Reports, reportAnswer, reportsOf } from "./reports.ts"

type ImportFault = FaultKind & { readonly kind: "import" }

interface Process {
  readonly id: number
  readonly startsAt: number
  readonly endsAt: number
  readonly fault: ImportFault | undefined
  /** Set once it has ended. */
  end?: { readonly status: "completed" | "failed" | "cancelled"; readonly reports: Reports }
}

interface Pending {
  readonly process: Process
  readonly request: Import
}

export interface Processes {
  readonly start: (request: Import, fault: FaultKind | undefined) => SandboxAnswer
  /** Applies every import that is due, in the order in which they end. */
  readonly advance: () => void
  /** How long an import takes from now on. */
  readonly take: (millis: number) => void
  /** Mails that told the account's owner of an import's end. */
  readonly mails: () => number
  readonly routes: ReadonlyArray<Route>
}

export interface ProcessesOptions {
  readonly now: Now
  readonly millis: number
  readonly importRows: (rows: ReadonlyArray<JsonObject>, request: Import, nowMillis: number) => Problems
}

/** Which rows take effect. */
const effective = ({ rows }: Import, fault: ImportFault | undefined): ReadonlyArray<JsonObject> => {
  switch (fault?.fate) {
    case undefined:
    case "forgotten":
      return rows
    case "half":
      return rows.slice(0, Math.ceil(rows.length / 2))
    case "drops":
      return rows.filter((_, place) => place % (fault.every ?? 10) !== 0)
    default:
      return []
  }
}

const endOf = (fault: ImportFault | undefined): "completed" | "failed" | "cancelled" => {
  if (fault?.fate === "failed" || fault?.fate === "half") return "failed"
  return fault?.fate === "cancelled" ? "cancelled" : "completed"
}

const isKnown = ({ fault }: Process): boolean => fault?.fate !== "lost" && fault?.fate !== "forgotten"

export const makeProcesses = ({ now, millis, importRows }: ProcessesOptions): Processes => {
  const all: Array<Process> = []
  let pending: Array<Pending> = []
  let takes = millis
  let mails = 0

  const end = ({ process, request }: Pending): void => {
    const status = endOf(process.fault)
    const problems = importRows(effective(request, process.fault), request, process.endsAt)
    process.end = { status, reports: reportsOf(problems) }
    if (!request.disableNotification) mails += 1
  }

  const answerOf = (process: Process, base: string | undefined) => ({
    id: process.id,
    name: "IMPORTUSER",
    status: process.end?.status ?? (now() < process.startsAt ? "queued" : "in_process"),
    ...(process.end?.status === "completed"
      ? { info: { import: addressesOf(process.end.reports, `${base ?? ""}/reports/${process.id}`) } }
      : {}),
  })

  const page = ({ query, base }: SandboxRequest): SandboxAnswer => {
    const unknown = [...query.keys()].find((name) => !["limit", "offset", "sort"].includes(name))
    if (unknown !== undefined) throw new Unmodelled(`the parameter ${unknown} of GET /processes`)
    const limit = whole(query.get("limit") ?? "10")
    if (limit === undefined || limit > 50) return failure(400, "out_of_range", "Limit exceeds max value")
    const known = all.filter(isKnown)
    const ordered = query.get("sort") === "asc" ? known : known.toReversed()
    const offset = whole(query.get("offset") ?? "") ?? 0
    const processes = ordered.slice(offset, offset + limit).map((process) => answerOf(process, base))
    return json(200, { count: known.length, processes })
  }

  const one = ({ base }: SandboxRequest, [id = ""]: ReadonlyArray<string>): SandboxAnswer => {
    const process = all[(whole(id) ?? 0) - 1]
    if (process === undefined || !isKnown(process)) return failure(404, "invalid_parameter", "processId is invalid")
    return json(200, answerOf(process, base))
  }

  return {
    start: (request, fault) => {
      const process: Process = {
        id: all.length + 1,
        startsAt: now() + takes / 2,
        endsAt: now() + takes,
        fault: fault?.kind === "import" ? fault : undefined,
      }
      all.push(process)
      if (process.fault?.fate !== "stuck") pending.push({ process, request })
      pending.sort((a, b) => a.process.endsAt - b.process.endsAt)
      return json(202, { processId: process.id })
    },
    advance: () => {
      if (pending[0] === undefined || now() < pending[0].process.endsAt) return
      const due = pending.filter(({ process }) => process.endsAt <= now())
      pending = pending.slice(due.length)
      for (const each of due) end(each)
    },
    take: (next) => {
      takes = next
    },
    mails: () => mails,
    routes: [
      { method: "GET", pattern: "/processes", kind: "read", run: page },
      { method: "GET", pattern: "/processes/:id", kind: "read", run: one },
      {
        method: "GET",
        pattern: "/reports/:id/:name",
        kind: "read",
        run: (_, [id = "", name = ""]) => reportAnswer(all[(whole(id) ?? 0) - 1]?.end?.reports.get(name)),
      },
    ],
  }
}
