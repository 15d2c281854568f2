/** A contact that another tool makes just before an import takes effect, with a phone number of one of its rows. */
import type { Handler, Sandbox } from "@sluice/sandbox"
import type { RequestHook } from "./killHooks.ts"

export const rivalId = "rival"

/**
 * While it is there, Brevo reports the row as a duplicate. It is gone before the row is written by itself. Comes after
 * so many runs.
 */
export const makeRival = (after: number) => {
  let stands: "to come" | "there" | "gone" = "to come"
  let runs = 0
  const stays: ReadonlySet<RequestHook> = new Set(["token", "other", "submit", "poll"])

  return (hook: RequestHook, request: Parameters<Handler>[0], { brevo }: Sandbox): void => {
    const ask = (method: string, path: string, query: string, body: string) =>
      brevo({ ...request, method, path, query: new URLSearchParams(query), body })
    if (hook === "token") runs += 1
    if (stands === "to come" && hook === "submit" && runs > after) {
      const phone = /"SMS":"(\d+)"/.exec(request.body)?.[1]
      if (phone === undefined) return
      ask("POST", "/contacts", "", JSON.stringify({ ext_id: rivalId, attributes: { SMS: `+${phone}` } }))
      stands = "there"
    } else if (stands === "there" && !stays.has(hook)) {
      const key = request.headers["api-key"]
      if (key === undefined) return
      ask("DELETE", `/contacts/${rivalId}`, "identifierType=ext_id", "")
      stands = "gone"
    }
  }
}
