/** POST /contacts/import: what its body asks for. brevo.md §3.3. */
import { isObject, type JsonObject, own, parseJson, Unmodelled } from "../exchange.ts"
import { flag, listIdsOf, type Reading, reading, refuse } from "./body.ts"
import { invalid, missing } from "./errors.ts"

export interface Import {
  readonly rows: ReadonlyArray<JsonObject>
  readonly listIds: ReadonlyArray<number>
  /** As POST /contacts/lists takes it. */
  readonly newList: { readonly name: string; readonly folderId: number } | undefined
  readonly emailBlacklist: boolean
  readonly smsBlacklist: boolean
  readonly disableNotification: boolean
  readonly updateExistingContacts: boolean
  readonly emptyContactsAttributes: boolean
}

/** The description says 10 MB and recommends 8. */
const maxBytes = 10_000_000

const bodies = ["jsonBody", "fileBody", "fileUrl"]

/** An API that ignored `updateEnabled` here would hide that its sender takes another option for this one. */
const keys = new Set([
  ...bodies,
  "listIds",
  "newList",
  "emailBlacklist",
  "smsBlacklist",
  "disableNotification",
  "updateExistingContacts",
  "emptyContactsAttributes",
  "notifyUrl",
  "consentGroupIds",
])

const rowsOf = (body: JsonObject): ReadonlyArray<JsonObject> => {
  const given = bodies.filter((name) => own(body, name) !== undefined)
  if (given.length !== 1) return refuse(missing("exactly one of jsonBody, fileBody and fileUrl is required"))
  const unmodelled = [...given, "notifyUrl", "consentGroupIds"].find((name) => name !== "jsonBody" && name in body)
  if (unmodelled !== undefined) throw new Unmodelled(`${unmodelled} in the body of an import`)
  const rows = own(body, "jsonBody")
  if (!Array.isArray(rows) || rows.length === 0 || !rows.every(isObject))
    return refuse(invalid("jsonBody should be an array of objects"))
  return rows
}

const newListOf = (body: JsonObject): Import["newList"] => {
  const value = own(body, "newList")
  if (value === undefined) return undefined
  const [name, folderId] = isObject(value) ? [own(value, "listName"), own(value, "folderId")] : []
  if (typeof name === "string" && name !== "" && typeof folderId === "number") return { name, folderId }
  return refuse(invalid("newList takes a listName and a folderId"))
}

export const readImport = (text: string, lists: ReadonlyMap<number, unknown>): Reading<Import> =>
  reading(() => {
    if (Buffer.byteLength(text) > maxBytes) return refuse(invalid("the body is larger than 10 MB"))
    const body = parseJson(text)
    if (!isObject(body)) return refuse(invalid("the body is not a JSON object"))
    const unknown = Object.keys(body).find((key) => !keys.has(key))
    if (unknown !== undefined) return refuse(invalid(`${unknown} is not allowed`))
    const listIds = listIdsOf(body, "listIds", lists)
    const newList = newListOf(body)
    if (listIds.length === 0 && newList === undefined) return refuse(missing("listIds or newList is required"))
    return {
      rows: rowsOf(body),
      listIds,
      newList,
      emailBlacklist: flag(body, "emailBlacklist") ?? false,
      smsBlacklist: flag(body, "smsBlacklist") ?? false,
      disableNotification: flag(body, "disableNotification") ?? false,
      updateExistingContacts: flag(body, "updateExistingContacts") ?? true,
      emptyContactsAttributes: flag(body, "emptyContactsAttributes") ?? false,
    }
  })
