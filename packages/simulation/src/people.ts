/** The users of the scripted source: what each of them was at any time, and what search can see of it yet. */
import type { JsonObject } from "effect/Schema"

export interface Person {
  readonly user_id: string
  readonly email: string
  readonly given_name: string
  readonly email_verified: boolean
  /** Milliseconds since 1970. */
  readonly created: number
  readonly updated: number
}

export type Fields = Omit<Person, "user_id" | "created" | "updated">

/** What there is at the source, and was. */
export interface Truth {
  readonly current: (id: string) => Person | undefined
  /** Every state the user has had, oldest first. */
  readonly versions: (id: string) => ReadonlyArray<Person>
  readonly ids: () => ReadonlyArray<string>
  /** Whether there was an instant since then when search, or the truth, had no such user. */
  readonly absentSince: (id: string, millis: number) => boolean
}

export interface People extends Truth {
  readonly put: (id: string, fields: Partial<Fields>) => void
  readonly remove: (id: string) => void
  /** What search sees. */
  readonly visible: () => ReadonlyArray<Person>
}

interface Version {
  readonly person: Person | undefined
  readonly at: number
  readonly visibleAt: number
}

export const defaults = (id: string): Fields => ({
  email: `${id}@example.com`,
  given_name: "Ada",
  email_verified: true,
})

export const makePeople = (now: () => number, lag: () => number): People => {
  const histories = new Map<string, Array<Version>>()

  const record = (id: string, person: Person | undefined): void => {
    const history = histories.get(id) ?? []
    const visibleAt = Math.max(history.at(-1)?.visibleAt ?? 0, now() + lag())
    history.push({ person, at: now(), visibleAt })
    histories.set(id, history)
  }

  const current = (id: string): Person | undefined => histories.get(id)?.at(-1)?.person

  const seen = (history: ReadonlyArray<Version>, at: number): Person | undefined =>
    history.findLast((version) => version.visibleAt <= at)?.person

  return {
    put: (id, fields) => {
      const before = current(id)
      const last = histories.get(id)?.findLast((version) => version.person !== undefined)?.person?.updated ?? 0
      const updated = Math.max(now(), last + 1)
      // Created in whole seconds, so that some share one.
      const created = before?.created ?? Math.floor(now() / 1000) * 1000
      record(id, { ...(before ?? defaults(id)), ...fields, user_id: id, created, updated })
    },
    remove: (id) => {
      if (current(id) !== undefined) record(id, undefined)
    },
    current,
    visible: () => {
      const at = now()
      return [...histories.values()].flatMap((history) => seen(history, at) ?? [])
    },
    versions: (id) => (histories.get(id) ?? []).flatMap(({ person }) => person ?? []),
    ids: () => [...histories.keys()],
    absentSince: (id, millis) => {
      const history = histories.get(id) ?? []
      const gone = (from: number, to: number, version: Version) =>
        version.person === undefined && to >= millis && from <= now()
      const inTruth = history.some((version, at) =>
        gone(version.at, history[at + 1]?.at ?? Number.POSITIVE_INFINITY, version),
      )
      const inSearch = history.some((version, at) =>
        gone(version.visibleAt, history[at + 1]?.visibleAt ?? Number.POSITIVE_INFINITY, version),
      )
      const first = history[0]
      return first === undefined || first.visibleAt > millis || inTruth || inSearch
    },
  }
}

export const iso = (millis: number): string => new Date(millis).toISOString()

export const dataOf = (person: Person): JsonObject => ({
  user_id: person.user_id,
  email: person.email,
  given_name: person.given_name,
  email_verified: person.email_verified,
  created_at: iso(person.created),
  updated_at: iso(person.updated),
})
