/** POST /contacts/import and what follows from it: the journal has the import at once, its rows when they take effect. */
import type { JsonObject, SandboxAnswer } from "../exchange.ts"
import type { FaultKind } from "../faults.ts"
import type { JournalEntry } from "../journal.ts"
import type { SandboxOptions } from "../options.ts"
import type { Route } from "../vendor.ts"
import type { Contact } from "./contacts.ts"
import { type Import, readImport } from "./importBody.ts"
import { makeProcesses, type Processes } from "./processes.ts"
import { importRows } from "./rows.ts"
import type { Writing } from "./writes.ts"

export const makeImports = ({
  account,
  now,
  journal,
  options,
}: Writing & { readonly options: SandboxOptions }): Processes => {
  const record = (entry: Partial<JournalEntry> & Pick<JournalEntry, "effect" | "status" | "body">): void =>
    journal.add({ method: "POST", path: "/contacts/import", key: undefined, contactId: undefined, ...entry })

  const processes = makeProcesses({
    now,
    millis: options.importMillis ?? 1_000,
    importRows: (rows, request, nowMillis) => {
      const wrote = (row: JsonObject, { id, identifiers }: Contact, effect: JournalEntry["effect"]): void => {
        const key = identifiers.get("ext_id") ?? identifiers.get("email")
        record({ time: nowMillis, key, contactId: id, effect, status: 202, body: JSON.stringify(row) })
      }
      return importRows(rows, request, { state: account, options, wrote }, nowMillis)
    },
  })

  const start = (request: Import, fault: FaultKind | undefined): SandboxAnswer => {
    const made = request.newList === undefined ? undefined : account.lists.create(request.newList)
    const { rows: _, ...settings } = request
    record({ effect: "none", status: 202, body: JSON.stringify(settings) })
    return processes.start(made === undefined ? request : { ...request, listIds: [...request.listIds, made.id] }, fault)
  }

  const submit: Route["run"] = ({ body }, _, fault) => {
    const read = readImport(body, account.lists)
    if (read._tag === "Read") return start(read.value, fault)
    record({ effect: "none", status: read.answer.status, body: "" })
    return read.answer
  }

  const route: Route = { method: "POST", pattern: "/contacts/import", kind: "write", run: submit }
  return { ...processes, routes: [route, ...processes.routes] }
}
