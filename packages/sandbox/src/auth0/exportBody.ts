/** What POST /jobs/users-exports takes, as auth0.md §2.1 and the OpenAPI description have it. */
import { isObject, own, parseJson, Unmodelled } from "../exchange.ts"

export interface ExportOrder {
  readonly fields: ReadonlyArray<string>
  readonly limit: number | undefined
  readonly connectionId: string | undefined
}

const known = new Set(["connection_id", "format", "limit", "fields"])
/** Auth0 cannot export these. */
const withheld = new Set(["blocked_for", "guardian_authenticators", "tenant"])

const fieldName = (field: unknown): string | undefined => {
  if (!isObject(field) || Object.keys(field).some((key) => key !== "name" && key !== "export_as")) return undefined
  const name = own(field, "name")
  if (typeof name !== "string" || name.length > 100) return undefined
  if (Object.hasOwn(field, "export_as")) throw new Unmodelled("export_as")
  if (!/^[\w-]+$/.test(name) || withheld.has(name)) throw new Unmodelled("a path, or a field that is not exported")
  return name
}

/** The order, or what is wrong with it. */
export const readOrder = (text: string): ExportOrder | string => {
  const body = parseJson(text)
  if (!isObject(body)) return "'Expected type object' on the body"
  const extra = Object.keys(body).find((key) => !known.has(key))
  if (extra !== undefined) return `'Additional properties not allowed: ${extra}'`
  const [format, limit, fields, connectionId] = ["format", "limit", "fields", "connection_id"].map((key) =>
    own(body, key),
  )
  if (format === "csv") throw new Unmodelled("an export as csv")
  if (format !== "json") return "'No enum match for: format' on property format (Format of the file)"
  if (limit !== undefined && !(Number.isInteger(limit) && Number(limit) >= 1)) {
    return "'Expected type integer' on property limit (Limit the number of records)"
  }
  if (connectionId !== undefined && !/^con_[A-Za-z0-9]{16}$/.test(String(connectionId))) {
    return "'String does not match pattern ^con_[A-Za-z0-9]{16}$' on property connection_id"
  }
  if (!Array.isArray(fields)) throw new Unmodelled("the default fields of an export, which no document lists")
  const names = fields.map(fieldName)
  const valid = names.filter((name) => name !== undefined)
  if (valid.length < names.length) return "'Expected type object' on property fields"
  return {
    fields: valid,
    limit: limit === undefined ? undefined : Number(limit),
    connectionId: connectionId === undefined ? undefined : String(connectionId),
  }
}
