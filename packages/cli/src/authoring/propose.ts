/**
 * Proposes a mapping by name and type. Each destination field is held against each source field. Sure: one name or one
 * meaning, a type that fits, a source field that nothing else has taken. Exactly one doubt about that: shown for a
 * person to decide. More doubts: left alone.
 */
import type { Field } from "@sluice/core"
import { bare, meaningOf, overlaps } from "./names.ts"
import { idField, type SourceField, type SourceType } from "./sourceFields.ts"

export interface Proposed {
  readonly field: string
  readonly from: string
  readonly as?: Field["type"]
  /** Joins a list to a text. */
  readonly join?: string
  readonly default?: string
  /** Why it is not sure; absent where it is. */
  readonly doubt?: string
}

export interface Proposal {
  readonly key: string
  /** In the order they go into the file, the key first. */
  readonly map: ReadonlyArray<Proposed>
  readonly doubtful: ReadonlyArray<Proposed>
  /** Destination fields that a row needs, and nothing fits. */
  readonly missing: ReadonlyArray<string>
  /** Destination and source fields that are in none of these. */
  readonly left: { readonly fields: ReadonlyArray<string>; readonly paths: ReadonlyArray<string> }
}

/** `key`: the object's own, if it has one. No fields: the destination takes any name. */
export const propose = (
  key: string | undefined,
  fields: ReadonlyArray<Field>,
  source: ReadonlyArray<SourceField>,
): Proposal => {
  const keyed = keyEntry(key, fields, source)
  const open = fields.filter((field) => field.writable && field.name !== keyed.field)
  const found = fields.length === 0 ? { map: sameNames(keyed, source), doubtful: [] } : match(open, source, keyed.from)
  const map = [keyed, ...found.map]
  const named = new Set([...map, ...found.doubtful].map(({ field }) => field))
  const used = new Set([...map, ...found.doubtful].map(({ from }) => from))
  const mapped = new Set(map.map(({ field }) => field))
  return {
    key: keyed.field,
    map,
    doubtful: found.doubtful,
    missing: open.filter(({ required, name }) => required === true && !mapped.has(name)).map(({ name }) => name),
    left: {
      fields: open.filter(({ name }) => !named.has(name)).map(({ name }) => name),
      paths: source.filter(({ path, seen }) => !used.has(path) && seen !== 0).map(({ path }) => path),
    },
  }
}

const keyEntry = (
  key: string | undefined,
  fields: ReadonlyArray<Field>,
  source: ReadonlyArray<SourceField>,
): Proposed => {
  const keys = fields.filter((field) => field.key === true)
  const byMeaning = (meaning: string) => keys.find((field) => field.writable && meaningOf(field.name) === meaning)
  const chosen = key ?? (byMeaning("id") ?? byMeaning("email") ?? keys.find(({ writable }) => writable))?.name ?? "id"
  const email = meaningOf(chosen) === "email" ? source.find(({ path }) => meaningOf(path) === "email") : undefined
  return { field: chosen, from: (email ?? idField(source))?.path ?? "id" }
}

/** What a destination that takes any name gets to begin with: who it is. */
const USUAL = new Set(["email", "given_name", "family_name", "name"])

const sameNames = (key: Proposed, source: ReadonlyArray<SourceField>): ReadonlyArray<Proposed> => {
  const plain = source.filter(({ path, type }) => path !== key.from && !path.includes(".") && type !== "json")
  const usual = plain.filter(({ path }) => USUAL.has(meaningOf(path) ?? ""))
  return (usual.length > 0 ? usual : plain.slice(0, 5)).map(({ path }) => ({ field: path, from: path }))
}

interface Candidate {
  readonly field: Field
  readonly source: SourceField
  readonly doubts: ReadonlyArray<string>
}

const match = (fields: ReadonlyArray<Field>, source: ReadonlyArray<SourceField>, keySource: string) => {
  const taken = new Set([keySource])
  const chosen = new Map<string, Proposed>()
  const candidates = fields.flatMap((field) =>
    source.flatMap((each): ReadonlyArray<Candidate> => {
      const doubts = doubtsOf(field, each)
      return doubts === undefined || doubts.length > 1 ? [] : [{ field, source: each, doubts }]
    }),
  )
  // The surest pairs choose first; each then takes what is still free.
  for (const { field, source: from, doubts } of candidates.toSorted(bySureness)) {
    if (chosen.has(field.name)) continue
    const all = taken.has(from.path) ? [...doubts, `${from.path} is mapped already`] : doubts
    const [doubt, ...more] = all
    if (more.length > 0) continue
    if (doubt === undefined) taken.add(from.path)
    chosen.set(field.name, entry(field, from, doubt))
  }
  const entries = fields.flatMap(({ name }) => chosen.get(name) ?? [])
  return {
    map: entries.filter(({ doubt }) => doubt === undefined),
    doubtful: entries.filter(({ doubt }) => doubt !== undefined),
  }
}

const bySureness = (a: Candidate, b: Candidate): number =>
  a.doubts.length - b.doubts.length || exactness(b) - exactness(a) || (b.source.seen ?? 0) - (a.source.seen ?? 0)

const lastStep = (path: string): string => path.slice(path.lastIndexOf(".") + 1)

const exactness = ({ field, source }: Candidate): number => (bare(field.name) === bare(lastStep(source.path)) ? 1 : 0)

/** Undefined where the two have nothing to do with each other. */
const doubtsOf = (field: Field, source: SourceField): ReadonlyArray<string> | undefined => {
  const name = lastStep(source.path)
  const meaning = meaningOf(field.name)
  const same = bare(field.name) === bare(name) || (meaning !== undefined && meaning === meaningOf(name))
  const fit = fits[field.type](source.type)
  if ((!same && !overlaps(field.name, name)) || fit === "never") return undefined
  return [
    ...(same ? [] : ["the names are alike"]),
    ...(fit === "perhaps" ? [`${field.type} from ${source.type === "unknown" ? "any value" : source.type}`] : []),
    ...(field.options === undefined ? [] : ["it takes listed values only"]),
    ...(source.seen === 0 ? ["no record looked at has it"] : []),
  ]
}

type Fit = "always" | "perhaps" | "never"

const fit =
  (always: ReadonlyArray<SourceType>, perhaps: ReadonlyArray<SourceType>) =>
  (type: SourceType): Fit =>
    always.includes(type) ? "always" : perhaps.includes(type) || type === "unknown" ? "perhaps" : "never"

/** Which values become which, given `as`. */
const fits: { readonly [type in Field["type"]]: (type: SourceType) => Fit } = {
  text: fit(["text", "time", "number", "integer", "boolean"], ["list"]),
  number: fit(["number", "integer"], ["text"]),
  integer: fit(["integer"], ["number", "text"]),
  boolean: fit(["boolean"], ["text"]),
  date: fit(["time"], ["text", "integer"]),
  datetime: fit(["time"], ["text", "integer"]),
  list: fit(["list"], ["text"]),
  json: fit(["json", "list"], ["text", "time", "number", "integer", "boolean"]),
}

/** A destination that insists on a name gets something to show for people without one. */
const NAMES = new Set(["family_name", "company", "name"])

const entry = (field: Field, source: SourceField, doubt: string | undefined): Proposed => {
  const as = asOf(field.type, source.type)
  const unnamed = field.required === true && !source.always && NAMES.has(meaningOf(field.name) ?? "")
  return {
    field: field.name,
    from: source.path,
    ...(as === undefined ? {} : { as }),
    ...(as === "list" && field.type === "text" ? { join: ", " } : {}),
    ...(unnamed ? { default: "(unknown)" } : {}),
    ...(doubt === undefined ? {} : { doubt }),
  }
}

const asOf = (wanted: Field["type"], given: SourceType): Field["type"] | undefined => {
  if (wanted === "json") return undefined
  if (wanted === "text" && given === "list") return "list"
  if (wanted === "text" && (given === "text" || given === "time")) return undefined
  if (wanted === "number" && given === "integer") return undefined
  return wanted === given ? undefined : wanted
}
