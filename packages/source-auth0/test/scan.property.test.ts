/** Whatever the times of the users are and whatever happens while they are read, those that search could see arrive. */

import { assert, describe, it } from "@effect/vitest"
import type { ScanRequest } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import type { UserOptions } from "../src/options.ts"
import { makeTenant, openReader, readAll, request, type Tenant, type TestUser, time, userOptions } from "./tenant.ts"

/** Users created together: all in one millisecond, or spread. */
interface Group {
  readonly size: number
  readonly tied: boolean
  readonly connection: string
  readonly provider: string
}

interface Scenario {
  readonly groups: ReadonlyArray<Group>
  readonly timeless: number
  readonly clamp: number
  readonly perPage: number
  readonly lag: number
  readonly changes: number
  readonly seed: number
}

const group = fc.record({
  size: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 120 }) },
    { weight: 2, arbitrary: fc.constantFrom(49, 50, 51, 99, 100, 101, 200) },
    { weight: 1, arbitrary: fc.integer({ min: 990, max: 1300 }) },
  ),
  tied: fc.boolean(),
  connection: fc.constantFrom("Username-Password-Authentication", 'od"d\\name', "google-oauth2"),
  provider: fc.constantFrom("auth0|64107988d3534be8b2dc", "google-oauth2|1079915971428", "sms|", "samlp|ac me|x*"),
})

const scenario: fc.Arbitrary<Scenario> = fc.record({
  groups: fc.array(group, { maxLength: 5 }),
  timeless: fc.constantFrom(0, 0, 3, 130),
  clamp: fc.constantFrom(50, 100),
  perPage: fc.constantFrom(40, 100),
  lag: fc.integer({ min: 0, max: 30 }),
  changes: fc.constantFrom(0, 1, 5),
  seed: fc.integer(),
})

const dice = (seed: number) => {
  let state = seed | 0
  return (below: number) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const usersOf = ({ groups, timeless }: Scenario): ReadonlyArray<TestUser> => [
  ...groups.flatMap(({ size, tied, connection, provider }, place) =>
    Array.from({ length: size }, (_, nth): TestUser => {
      const at = time(place * 10_000 + (tied ? 0 : nth))
      return {
        user_id: `${provider}${place}${String(nth).padStart(6, "0")}`,
        created_at: at,
        updated_at: at,
        email: `${place}.${nth}@example.com`,
        identities: [{ provider: "x", connection, user_id: nth }],
      }
    }),
  ),
  ...Array.from(
    { length: timeless },
    (_, nth): TestUser => ({ user_id: `auth0|none${nth}`, email: `${nth}@example.com` }),
  ),
]

/** Logins, renames, deletions, new users, and users who come into a millisecond that is being read. */
const change = (tenant: Tenant, roll: (below: number) => number, nth: number) => {
  const ids = [...tenant.users.keys()]
  const id = ids[roll(Math.max(1, ids.length))]
  const user = id === undefined ? undefined : tenant.users.get(id)
  const at = time(tenant.now)
  const kind = roll(8)
  if (user === undefined || kind === 0) {
    tenant.put({
      user_id: `auth0|new${nth}.${roll(1e6)}`,
      created_at: at,
      updated_at: at,
      email: `new.${nth}@example.com`,
    })
  } else if (kind <= 2) tenant.remove(user.user_id)
  else if (kind === 3 && user.created_at !== undefined) {
    // An import that search is late to show: as old as users that were read long ago.
    const { created_at } = user
    tenant.put({ ...user, user_id: `auth0|late${nth}.${roll(1e6)}`, created_at, updated_at: at })
  } else if (user.updated_at !== undefined) tenant.put({ ...user, updated_at: at, email: `changed.${nth}@example.com` })
}

const newest = (
  records: ReadonlyArray<{ readonly key: string; readonly version?: string; readonly data: unknown }>,
) => {
  const state = new Map<string, { readonly version: string; readonly data: unknown }>()
  for (const { key, version = "", data } of records) {
    if ((state.get(key)?.version ?? "") <= version) state.set(key, { version, data })
  }
  return state
}

const truth = ({ user_id, created_at, updated_at, email }: TestUser) => ({ user_id, created_at, updated_at, email })

const check = (scene: Scenario, sync: "full" | "incremental") =>
  Effect.gen(function* () {
    const roll = dice(scene.seed)
    // Ids and states that search showed at every moment of the scan.
    let throughout: Set<string> | undefined
    const watch = (tenant: Tenant) => {
      throughout = new Set([...tenant.index.keys()].filter((id) => throughout?.has(id) ?? true))
    }
    let quiet = false
    const { tenant, client } = makeTenant({
      users: usersOf(scene),
      clamp: scene.clamp,
      ...(scene.lag === 0 ? {} : { lag: scene.lag }),
      onSearch: (all, nth) => {
        if (!quiet) for (let n = 0; n < scene.changes; n++) change(all, roll, nth * 10 + n)
        watch(all)
      },
    })
    // Some of what changed before the scan is not in the index when it begins.
    for (let nth = 0; nth < 3 * scene.changes; nth++) {
      tenant.now += 1000
      change(tenant, roll, -nth)
    }
    const options = userOptions({ per_page: scene.perPage })
    const first = yield* readAll(client, { sync, options })
    watch(tenant)
    const arrived = new Set(first.keys)
    const missed = [...(throughout ?? [])].filter((id) => !arrived.has(id))
    assert.deepStrictEqual(missed, [])
    if (sync === "full") return
    // The next runs see the rest: what changed behind the first one's back, and what search showed late.
    quiet = true
    tenant.settle()
    const second = yield* readAll(client, { sync, options, from: Option.fromUndefinedOr(first.last) })
    const state = newest([...first.records, ...second.records])
    for (const user of tenant.users.values()) {
      assert.deepStrictEqual(state.get(user.user_id)?.data, JSON.parse(JSON.stringify(truth(user))))
    }
  })

const holds = (property: (scene: Scenario) => Effect.Effect<void, unknown>, numRuns: number) =>
  Effect.promise(() =>
    fc.assert(
      fc.asyncProperty(scenario, (scene) => Effect.runPromise(property(scene))),
      { numRuns, seed: 20_261_120, endOnFailure: false },
    ),
  )

describe("every user that search could see arrives", () => {
  it.effect("auth0 trap 1, 2, 8: a full scan, for any times and any changes while it runs", () =>
    holds((scene) => check(scene, "full"), 30),
  )

  it.effect("auth0 trap 7: incremental runs, and the state they leave is the tenant's", () =>
    holds((scene) => check(scene, "incremental"), 30),
  )

  it.effect("a scan resumed at any of its positions brings the rest, and nothing twice that it can tell", () =>
    holds(
      (scene) =>
        Effect.gen(function* () {
          const { client } = makeTenant({ users: usersOf(scene), clamp: scene.clamp })
          const over: Partial<ScanRequest<UserOptions>> = { options: userOptions({ per_page: scene.perPage }) }
          const { pages, keys } = yield* readAll(client, over)
          assert.strictEqual(new Set(keys).size, keys.length)
          const roll = dice(scene.seed)
          for (let nth = 0; nth < 4 && pages.length > 0; nth++) {
            const stop = roll(pages.length)
            const before = pages.slice(0, stop + 1).flatMap(({ records }) => records.map(({ key }) => key))
            const reader = yield* openReader(client)
            const from = Option.fromUndefinedOr(pages[stop]?.position)
            const rest = yield* Stream.runCollect(reader.read(request({ ...over, from })))
            const all = new Set([...before, ...rest.flatMap(({ records }) => records.map(({ key }) => key))])
            assert.deepStrictEqual(all, new Set(keys))
          }
        }).pipe(Effect.scoped),
      10,
    ),
  )
})
