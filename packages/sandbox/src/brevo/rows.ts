/**
 * The rows of an import as they take effect. What brevo.md §3.3 leaves open is decided against the client: a row is
 * matched by its strongest identifier, the e-mail first, so a new e-mail under a known EXT_ID is a duplicate and no
 * change of address; of two rows with one e-mail the second is a duplicate; a malformed phone number is ignored.
 */
import { isObject, type JsonObject, own } from "../exchange.ts"
import type { JournalEntry } from "../journal.ts"
import type { SandboxOptions } from "../options.ts"
import { accept, clears } from "./attributes.ts"
import { type Contact, emailOf, type IdentifierName, identifiers, phoneOf } from "./contacts.ts"
import type { Import } from "./importBody.ts"
import { duplicateOf, note, type Problems } from "./reports.ts"
import { type AccountState, apply, type Change, ownersOf } from "./upsert.ts"

export interface Importing {
  readonly state: AccountState
  readonly options: Pick<SandboxOptions, "importsFalse" | "importsExtId">
  /** Called for each row that took effect. */
  readonly wrote: (row: JsonObject, contact: Contact, effect: JournalEntry["effect"]) => void
}

const nothing: JsonObject = {}

const attributesOf = (row: JsonObject): JsonObject => {
  const attributes = own(row, "attributes")
  return isObject(attributes) ? attributes : nothing
}

/** brevo.md trap 16: where empty cells erase, so does a column that only other rows have. */
const columnsOf = (rows: ReadonlyArray<JsonObject>): ReadonlySet<string> =>
  new Set(rows.flatMap((row) => Object.keys(attributesOf(row))))

/** What a column is an identifier of. The e-mail stands beside the attributes. */
const identifierOf = (column: string): IdentifierName | undefined =>
  column === "EXT_ID" ? "ext_id" : identifiers.find((name) => name === column && name !== "email" && name !== "ext_id")

interface RowChange {
  readonly identifiers: Map<IdentifierName, string | undefined>
  readonly attributes: Map<string, unknown>
}

/** `columns`: all that are to be taken as empty where the row lacks them. */
const readRow = (
  row: JsonObject,
  columns: ReadonlySet<string> | undefined,
  { state, options }: Importing,
): RowChange => {
  const change: RowChange = { identifiers: new Map(), attributes: new Map() }
  const given = attributesOf(row)

  const erase = (column: string, name: IdentifierName | undefined) => {
    if (name === undefined) change.attributes.set(column, "")
    else change.identifiers.set(name, undefined)
  }

  const take = (column: string, name: IdentifierName | undefined, value: unknown) => {
    if (name !== undefined) {
      const id = name === "ext_id" ? (typeof value === "string" ? value : undefined) : phoneOf(value)
      if (id !== undefined) change.identifiers.set(name, id)
    } else if (value !== false || options.importsFalse === true) {
      const spec = state.attributes.get(column)
      const stored = spec === undefined ? undefined : accept(spec, value)
      if (stored !== undefined) change.attributes.set(column, stored)
    }
  }

  for (const column of columns ?? Object.keys(given)) {
    if (column === "EXT_ID" && options.importsExtId === false) continue
    const value = own(given, column) ?? ""
    if (!clears(value)) take(column, identifierOf(column), value)
    else if (columns !== undefined) erase(column, identifierOf(column))
  }
  return change
}

/** Applies the rows one after the other and says which of them could not be. */
export const importRows = (
  rows: ReadonlyArray<JsonObject>,
  request: Omit<Import, "rows">,
  importing: Importing,
  nowMillis: number,
): Problems => {
  const { contacts } = importing.state
  const problems: Problems = new Map()
  const columns = request.emptyContactsAttributes ? columnsOf(rows) : undefined
  const emails = new Set<string>()
  const common: Omit<Change, "identifiers" | "attributes"> = {
    listIds: request.listIds,
    unlinkListIds: [],
    emailBlacklisted: request.emailBlacklist ? true : undefined,
    smsBlacklisted: request.smsBlacklist ? true : undefined,
    forceMerge: false,
    updateEnabled: request.updateExistingContacts,
    getId: false,
  }

  /** The row's own address; `undefined` once it is noted as malformed or as another row's. */
  const addressOf = (row: JsonObject): string | undefined => {
    const email = emailOf(own(row, "email"))
    if (email === undefined) note(problems, "invalid_emails", row)
    else if (emails.has(email.toLowerCase())) note(problems, "duplicate_email_id", row)
    else {
      emails.add(email.toLowerCase())
      return email
    }
    return undefined
  }

  for (const row of rows) {
    const change: Change & RowChange = { ...common, ...readRow(row, columns, importing) }
    if ((own(row, "email") ?? "") !== "") {
      const email = addressOf(row)
      if (email === undefined) continue
      change.identifiers.set("email", email)
    }
    const strongest = identifiers.find((name) => change.identifiers.get(name) !== undefined)
    if (strongest === undefined) continue
    const owners = ownersOf(change, contacts)
    const known = owners.get(strongest)
    const taken = [...owners.keys()].filter((name) => owners.get(name) !== known)
    for (const name of taken) note(problems, duplicateOf[name], row)
    if (taken.length > 0 || (known !== undefined && !request.updateExistingContacts)) continue
    const contact = known ?? contacts.create(nowMillis)
    apply(contact, change, importing.state, nowMillis)
    importing.wrote(row, contact, known === undefined ? "created" : "updated")
  }
  return problems
}
