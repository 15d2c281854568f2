/** What a pipeline should have made of the sandbox's users, by core's own mapping, held against what Brevo was sent. */
import { readFileSync } from "node:fs"
import { type Pipeline, plan, SecretFileError } from "@sluice/core"
import { lists as initial, type JournalEntry, type Sandbox, type User } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Json, JsonObject } from "effect/Schema"
import { digestLayer, pluginsLayer } from "../src/node/index.ts"

type Fields = JsonObject

export const pipelineOf = async (file: string, env: Readonly<Record<string, string>>): Promise<Pipeline> => {
  const text = readFileSync(file, "utf8")
  const readSecretFile = () => Effect.fail(new SecretFileError({ message: "no secret files here" }))
  const planned = await Effect.runPromise(
    plan({ file, text, env, readSecretFile }).pipe(Effect.provide(Layer.mergeAll(pluginsLayer, digestLayer))),
  )
  const [pipeline] = planned.pipelines
  if (pipeline === undefined) throw new Error(`${file} has no pipeline`)
  return pipeline
}

/** The rows of these users, in their order. */
const rowsOf = async (pipeline: Pipeline, users: ReadonlyArray<User>): Promise<ReadonlyArray<Fields>> => {
  const [route] = pipeline.routes
  if (route === undefined) throw new Error("the pipeline has no route")
  const records = users.map((user) => {
    const data: JsonObject = JSON.parse(JSON.stringify(user))
    return { key: user.user_id, change: "upsert" as const, data }
  })
  const mapped = await Effect.runPromise(route.mapping.map(records, 0))
  return mapped.map((each) => {
    if (each._tag !== "Row") throw new Error(`${each.record.key} makes no row`)
    return each.row.fields
  })
}

const own = new Set(["ext_id", "email", "listIds"])
const attributesOf = (fields: Fields) =>
  Object.entries(fields).filter(([name, value]) => !own.has(name) && value !== null && value !== "")

/** A contact as Brevo shows it once it has the row. */
const contactOf = (fields: Fields) => ({
  ext_id: fields.ext_id,
  email: fields.email,
  listIds: listsOf(fields),
  attributes: Object.fromEntries([
    ...attributesOf(fields).map(([name, value]) => [name, name === "SMS" ? String(value).replace("+", "") : value]),
    ["EXT_ID", fields.ext_id],
  ]),
})

const listsOf = (fields: Fields): ReadonlyArray<Json> => {
  const { listIds } = fields
  return Array.isArray(listIds) ? [...listIds].sort() : []
}

/** Every contact, and every contact that should be, by ext_id; which of them came by imports is left out. */
export const contactsByUser = async (pipeline: Pipeline, { control }: Sandbox) => {
  const rows = await rowsOf(pipeline, [...control.users()])
  const expected = new Map(rows.map((fields) => [String(fields.ext_id), contactOf(fields)]))
  const actual = control.contacts().map(({ ext_id, email, attributes, ...contact }) => {
    const listIds = contact.listIds.filter((id) => id !== initial.imports)
    return [ext_id ?? "none", { ext_id, email, listIds, attributes }] as const
  })
  return { expected: sorted([...expected]), actual: sorted(actual) }
}

const sorted = <A>(entries: ReadonlyArray<readonly [string, A]>) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1))

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

const importPath = "/contacts/import"

/** A row as an import had it: what is to change, with `ext_id` and phone numbers as attributes have them. */
const fitsImport = (body: JsonObject, fields: Fields): boolean => {
  const { attributes } = contactOf(fields)
  const given = isObject(body.attributes) ? body.attributes : {}
  return body.email === fields.email && Object.entries(given).every(([name, value]) => same(value, attributes[name]))
}

/** A new contact is sent whole, a known one what is to change. */
const fits = ({ method, path }: JournalEntry, body: JsonObject, fields: Fields): boolean => {
  const attributes = isObject(body.attributes) ? body.attributes : {}
  if (path === importPath) return fitsImport(body, fields)
  if (method === "POST") {
    const { email, ext_id, listIds } = contactOf(fields)
    return (
      same([body.email, body.ext_id], [email, ext_id]) &&
      same(Array.isArray(body.listIds) ? [...body.listIds].sort() : [], listIds) &&
      same(sorted(Object.entries(attributes)), sorted(attributesOf(fields)))
    )
  }
  const isHeld = ([name, value]: readonly [string, Json]) =>
    same(value, name === "EMAIL" ? fields.email : (fields[name] ?? ""))
  const lists = listsOf(fields)
  const within = (value: Json | undefined, wanted: boolean) =>
    !Array.isArray(value) || value.every((id) => lists.includes(id) === wanted)
  return (
    (body.ext_id === undefined || body.ext_id === fields.ext_id) &&
    Object.entries(attributes).every(isHeld) &&
    within(body.listIds, true) &&
    within(body.unlinkListIds, false)
  )
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * I5: what was sent that is no mapping of a version its user really had, or of an older one after a newer one.
 * Empty when all is well.
 */
export const phantoms = async (
  pipeline: Pipeline,
  { control }: Sandbox,
  journal = control.journal(),
): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  // An import has no key, its rows have.
  const writes = journal.filter(({ key, path }) => key !== undefined || path !== importPath)
  const byUser = Map.groupBy(writes, (entry) => entry.key ?? "none")
  for (const [user, entries] of byUser) {
    const rows = await rowsOf(pipeline, control.userVersions(user))
    let newest = 0
    for (const entry of entries) {
      const version = rows.findIndex((fields, at) => at >= newest && fits(entry, bodyOf(entry), fields))
      if (version < 0)
        found.push(`write ${entry.seq}, ${entry.method} of ${user}, after version ${newest}: ${entry.body}`)
      else newest = version
    }
  }
  return found
}

const bodyOf = (entry: JournalEntry): JsonObject => {
  const body: JsonObject = entry.body === "" ? {} : JSON.parse(entry.body)
  return body
}

/** How many versions users have had beyond their first. */
export const changesOf = ({ control }: Sandbox): number =>
  control
    .users()
    .map(({ user_id }) => control.userVersions(user_id).length - 1)
    .reduce((sum, count) => sum + count, 0)
