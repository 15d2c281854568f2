/** Which record is a row's own, of those that were found. Pure. */
import type { Row } from "@sluice/core"

/** A record that has the key or a matched value of some row. */
export interface Candidate {
  readonly type: string
  readonly id: string
  /** The key it has already, which makes it somebody's. */
  readonly key: string | undefined
  /** A person account: the Account is what is written. */
  readonly isPerson: boolean
  /** A Lead that became this Contact. */
  readonly lead: string | undefined
  /** What was found in it, by field. */
  readonly values: ReadonlyMap<string, string>
}

export type Match =
  | { readonly _tag: "None" }
  | { readonly _tag: "One"; readonly candidate: Candidate; readonly why: string }
  | { readonly _tag: "Several"; readonly ids: ReadonlyArray<string>; readonly why: string }

/** E-mail addresses are compared without case, as Salesforce does; of other values that look like numbers the digits. */
export const normalised = (field: string, value: string): string =>
  /phone|mobile|fax/i.test(field) ? value.replace(/\D/g, "").replace(/^00/, "") : value.trim().toLowerCase()

const described = ({ type, id, lead }: Candidate): string =>
  lead === undefined ? `${type} ${id}` : `${type} ${id}, which Lead ${lead} became`

const distinct = (candidates: ReadonlyArray<Candidate>): ReadonlyArray<Candidate> => [
  ...new Map(candidates.map((candidate) => [candidate.id, candidate])).values(),
]

export interface Matching {
  readonly key: string
  /** In the order they count. */
  readonly fields: ReadonlyArray<string>
  /** Objects, in the order they count: Contact before Lead. */
  readonly types: ReadonlyArray<string>
}

/** By key and by value, each a list in the order of the objects. */
export const makeIndex = ({ fields, types }: Matching, candidates: ReadonlyArray<Candidate>) => {
  const byKey = new Map<string, Array<Candidate>>()
  const byValue = new Map<string, Array<Candidate>>()
  for (const type of types) {
    for (const candidate of candidates) {
      if (candidate.type !== type) continue
      if (candidate.key !== undefined) byKey.set(candidate.key, [...(byKey.get(candidate.key) ?? []), candidate])
      for (const field of fields) {
        const value = candidate.values.get(field)
        if (value === undefined) continue
        const place = `${type} ${field} ${value}`
        byValue.set(place, [...(byValue.get(place) ?? []), candidate])
      }
    }
  }
  return { byKey, byValue }
}

export type Index = ReturnType<typeof makeIndex>

/**
 * The record that has the row's key; else the first field and object that find one which is nobody's yet. `isTaken`: by
 * another row right now.
 */
export const matchRow = (row: Row, matching: Matching, index: Index, isTaken: (id: string) => boolean): Match => {
  const { key, fields, types } = matching
  const [own, ...others] = distinct(index.byKey.get(row.key) ?? [])
  if (own !== undefined) {
    const same = others.filter(({ type }) => type === own.type)
    if (same.length === 0) return { _tag: "One", candidate: own, why: `${key} is on ${described(own)}` }
    const ids = [own, ...same].map(({ id }) => id)
    return { _tag: "Several", ids, why: `${key} is on ${ids.length} records of ${own.type}` }
  }
  for (const field of fields) {
    const value = row.fields[field]
    if (typeof value !== "string" || normalised(field, value) === "") continue
    for (const type of types) {
      const found = index.byValue.get(`${type} ${field} ${normalised(field, value)}`) ?? []
      const free = distinct(found).filter((candidate) => candidate.key === undefined && !isTaken(candidate.id))
      const [first] = free
      if (first === undefined) continue
      if (free.length === 1)
        return { _tag: "One", candidate: first, why: `${field} is on ${described(first)}, which has no ${key} yet` }
      return { _tag: "Several", ids: free.map(({ id }) => id), why: `${field} is on ${free.length} records of ${type}` }
    }
  }
  return { _tag: "None" }
}
