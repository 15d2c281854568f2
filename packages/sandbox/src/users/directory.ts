/** The users of the fake tenant: the generated ones, and over them the few that were changed since. */
import { isObject, type JsonObject, type Now } from "../exchange.ts"
import type { Dice } from "../random.ts"
import type { User, UserGenerator } from "./generate.ts"

/** One state of a changed user. `undefined`: deleted. */
interface Version {
  readonly user: User | undefined
  /** When it came about and from when on search finds it, on the sandbox's clock. */
  readonly since: number
  readonly searchableAt: number
}

/** What search sees in place of the generated users. */
export interface Overlay {
  readonly users: ReadonlyArray<User>
  /** Numbers of generated users that search must leave out. */
  readonly hidden: ReadonlySet<number>
}

export interface Directory {
  readonly generator: UserGenerator
  /** The present truth. */
  readonly get: (userId: string) => User | undefined
  readonly byEmail: (email: string) => ReadonlyArray<User>
  /** What search sees now, which lags behind the truth. */
  readonly searchable: () => Overlay
  /** Merges fields at the root; null removes one. Creates the user if there is none. */
  readonly upsert: (fields: JsonObject & { readonly user_id: string }) => User
  /** False if there is no such user. */
  readonly remove: (userId: string) => boolean
  /** Every state the user has had, oldest first, without the deletions. */
  readonly versions: (userId: string) => ReadonlyArray<User>
  /** All users as they are now. Walks every generated user. */
  readonly all: () => IteratorObject<User>
  /** All users as they were then, on the sandbox's clock. What changes while they are walked does not show. */
  readonly asOf: (millis: number) => IteratorObject<User>
  readonly setLag: (millis: number) => void
  readonly count: () => number
}

export interface DirectoryOptions {
  readonly generator: UserGenerator
  readonly now: Now
  /** The clock of the data, which never shows less than the newest generated user. */
  readonly dataNow: Now
  readonly dice: Dice
  readonly lagMillis: number
}

export const makeDirectory = ({ generator, now, dataNow, dice, lagMillis }: DirectoryOptions): Directory => {
  const changed = new Map<string, Array<Version>>()
  let lag = lagMillis
  let cached: { readonly overlay: Overlay; readonly until: number } | undefined

  const generated = (userId: string): User | undefined => {
    const index = generator.indexOf(userId)
    return index === undefined ? undefined : generator.user(index)
  }

  const get = (userId: string): User | undefined => {
    const versions = changed.get(userId)
    return versions === undefined ? generated(userId) : versions.at(-1)?.user
  }

  const record = (userId: string, user: User | undefined) => {
    const versions = changed.get(userId) ?? []
    // Two changes of one user never become searchable in the wrong order.
    const soonest = versions.at(-1)?.searchableAt ?? 0
    const delay = lag === 0 ? 0 : Math.ceil(lag * (0.5 + dice.next() / 2))
    versions.push({ user, since: now(), searchableAt: Math.max(soonest, now() + delay) })
    changed.set(userId, versions)
    cached = undefined
  }

  const upsert = (fields: JsonObject & { readonly user_id: string }): User => {
    const time = new Date(dataNow()).toISOString()
    const before = get(fields.user_id) ?? {
      user_id: fields.user_id,
      created_at: time,
      identities: [identityOf(fields.user_id)],
    }
    const merged = new Map<string, unknown>(Object.entries({ ...before, updated_at: time }))
    for (const [key, value] of Object.entries(fields)) {
      if (value === null) merged.delete(key)
      else merged.set(key, value)
    }
    const user: User = Object.assign(Object.fromEntries(merged), { user_id: fields.user_id })
    record(fields.user_id, user)
    return user
  }

  const remove = (userId: string): boolean => {
    if (get(userId) === undefined) return false
    record(userId, undefined)
    return true
  }

  const seen = (versions: ReadonlyArray<Version>, time: number): Version | undefined =>
    versions.findLast((version) => version.searchableAt <= time)

  const searchable = (): Overlay => {
    const time = now()
    if (cached !== undefined && time < cached.until) return cached.overlay
    const users: Array<User> = []
    const hidden = new Set<number>()
    let until = Number.POSITIVE_INFINITY
    for (const [userId, versions] of changed) {
      const version = seen(versions, time)
      const next = versions.find((each) => each.searchableAt > time)
      if (next !== undefined) until = Math.min(until, next.searchableAt)
      if (version === undefined) continue
      if (version.user !== undefined) users.push(version.user)
      const index = generator.indexOf(userId)
      if (index !== undefined) hidden.add(index)
    }
    cached = { overlay: { users, hidden }, until }
    return cached.overlay
  }

  const byEmail = (email: string): ReadonlyArray<User> => {
    const base = generator
      .candidates(email)
      .map((index) => generator.user(index))
      .filter((user) => !changed.has(user.user_id))
    const overlay = [...changed.values()].map((versions) => versions.at(-1)?.user).filter((user) => user !== undefined)
    return [...base, ...overlay].filter((user) => user.email === email)
  }

  const versions = (userId: string): ReadonlyArray<User> => {
    const first = generated(userId)
    const later = (changed.get(userId) ?? []).map((version) => version.user).filter((user) => user !== undefined)
    return first === undefined ? later : [first, ...later]
  }

  function* all(): Generator<User> {
    for (let index = 0; index < generator.timeline.users; index++) {
      if (!changed.has(generator.userId(index))) yield generator.user(index)
    }
    for (const each of changed.values()) {
      const user = each.at(-1)?.user
      if (user !== undefined) yield user
    }
  }

  function* asOf(millis: number): Generator<User> {
    // The changed ones are looked up first: who changes while the others are walked comes as generated.
    const then = new Map<string, User | undefined>()
    for (const [userId, each] of changed) {
      const version = each.findLast(({ since }) => since <= millis)
      then.set(userId, version === undefined ? generated(userId) : version.user)
    }
    for (let index = 0; index < generator.timeline.users; index++) {
      if (then.size === 0 || !then.has(generator.userId(index))) yield generator.user(index)
    }
    for (const user of then.values()) if (user !== undefined) yield user
  }

  const count = (): number => {
    let total = generator.timeline.users
    for (const [userId, each] of changed) {
      const exists = each.at(-1)?.user !== undefined
      if (generator.indexOf(userId) === undefined) total += exists ? 1 : 0
      else if (!exists) total -= 1
    }
    return total
  }

  return {
    generator,
    get,
    byEmail,
    searchable,
    upsert,
    remove,
    versions,
    all,
    asOf,
    count,
    setLag: (millis) => {
      lag = millis
    },
  }
}

/** The identity of a user who was made by hand: its id says which provider. */
const identityOf = (userId: string): JsonObject => {
  const bar = userId.indexOf("|")
  const provider = bar < 0 ? "auth0" : userId.slice(0, bar)
  const connection = provider === "auth0" ? "Username-Password-Authentication" : provider
  return { connection, user_id: userId.slice(bar + 1), provider, isSocial: provider !== "auth0" && provider !== "sms" }
}

export const isUserFields = (value: unknown): value is JsonObject & { readonly user_id: string } =>
  isObject(value) && Object.hasOwn(value, "user_id") && typeof value.user_id === "string"
