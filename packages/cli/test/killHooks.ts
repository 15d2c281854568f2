/** What a run does that it can be killed at, in the order in which a run by jobs does it. */
import type { Handler } from "@sluice/sandbox"

type Request = Parameters<Handler>[0]

/** Requests, by what they are for. */
export type RequestHook =
  | "token"
  | "search"
  | "export"
  | "export poll"
  | "download"
  | "look"
  | "submit"
  | "poll"
  | "read-back"
  | "report"
  | "write"
  | "other"

export const requestHookOf = (
  vendor: "auth0" | "brevo",
  { method, path }: Request,
  before: ReadonlyArray<RequestHook>,
): RequestHook => {
  if (vendor === "auth0") {
    if (path === "/oauth/token") return "token"
    if (path.startsWith("/user-exports/")) return "download"
    if (path.startsWith("/api/v2/jobs/")) return method === "POST" ? "export" : "export poll"
    return "search"
  }
  if (path === "/contacts/import") return "submit"
  if (path.startsWith("/processes")) return "poll"
  if (path.startsWith("/reports/")) return "report"
  // Before an import all contacts are looked at, after it those that changed.
  if (path === "/contacts" && method === "GET") return before.includes("poll") ? "read-back" : "look"
  return path.startsWith("/contacts") && method !== "GET" ? "write" : "other"
}

/** What asks Auth0 for users. */
export const sourceReads: ReadonlySet<RequestHook> = new Set(["search", "export", "export poll", "download"])

/** Commits, by what they say: node/killAtCommit.ts tells them apart. */
export type CommitHook = "spool" | "job" | "ref" | "outcomes" | "giveBack" | "mark" | "settle" | "over"

/** Where a run by jobs is killed: at a request of this kind or around a commit of this kind. */
export type Stage =
  /** `most`: there are so many of it in a run that begins with nothing. */
  | { readonly request: RequestHook; readonly at: ReadonlyArray<RequestPlace>; readonly most: number }
  | { readonly commit: CommitHook; readonly at: ReadonlyArray<CommitPlace>; readonly most: number }

/**
 * `arrives`: the request takes no effect. `lost`: it does, and its answer is lost. `midway`: half of a file is there.
 * `answered`: the process has the answer.
 */
export type RequestPlace = "arrives" | "lost" | "midway" | "answered"
export type CommitPlace = "before" | "after"

const request = (hook: RequestHook, most = 1): Stage => ({ request: hook, at: ["arrives", "lost", "answered"], most })
const commit = (hook: CommitHook, most = 1): Stage => ({ commit: hook, at: ["before", "after"], most })

export const stages: ReadonlyArray<Stage> = [
  request("export"),
  request("export poll", 2),
  { request: "download", at: ["arrives", "lost", "midway"], most: 1 },
  commit("spool", 3),
  commit("job"),
  request("look"),
  commit("ref", 4),
  request("submit", 2),
  request("poll", 2),
  request("read-back"),
  request("report"),
  commit("outcomes"),
  commit("giveBack"),
  commit("mark"),
  request("write", 20),
  commit("settle"),
  commit("over"),
]

export const nameOf = (stage: Stage): string => ("request" in stage ? stage.request : `commit: ${stage.commit}`)
