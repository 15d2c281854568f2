/** The users of the sandbox's tenant, as the oracles and the churn see them. */
import type { Sandbox, User } from "@sluice/sandbox"
import type { Fields, People, Person } from "./people.ts"
import { defaults } from "./people.ts"

/** From when to when search, or the truth, may lack a user. */
interface Gap {
  readonly from: number
  to: number
}

const text = (value: unknown): string => (typeof value === "string" ? value : "")

const personOf = (user: User): Person => ({
  user_id: user.user_id,
  email: text(user.email),
  given_name: text(user.given_name),
  email_verified: user.email_verified === true,
  created: Date.parse(text(user.created_at)),
  updated: Date.parse(text(user.updated_at)),
})

export interface TenantClock {
  readonly now: () => number
  readonly wait: (millis: number) => void
}

export const makeTenant = (sandbox: Sandbox, clock: TenantClock, lagMillis: number): People => {
  const { control } = sandbox
  const ids = new Set([...control.users()].map((user) => user.user_id))
  const gaps = new Map<string, Array<Gap>>()

  const gapsOf = (id: string): Array<Gap> => {
    const found = gaps.get(id) ?? []
    gaps.set(id, found)
    return found
  }

  const current = (id: string): Person | undefined => {
    const user = control.user(id)
    return user === undefined ? undefined : personOf(user)
  }

  return {
    put: (id, fields: Partial<Fields>) => {
      // No two changes in one millisecond: the versions of a user differ.
      clock.wait(1)
      if (current(id) === undefined) {
        const open = gapsOf(id).at(-1)
        if (open === undefined) gapsOf(id).push({ from: 0, to: clock.now() + lagMillis })
        else open.to = clock.now() + lagMillis
        control.upsertUser({ ...defaults(id), ...fields, user_id: id })
      } else control.upsertUser({ ...fields, user_id: id })
      ids.add(id)
    },
    remove: (id) => {
      clock.wait(1)
      if (control.deleteUser(id)) gapsOf(id).push({ from: clock.now(), to: Number.POSITIVE_INFINITY })
    },
    current,
    versions: (id) => control.userVersions(id).map(personOf),
    ids: () => [...ids],
    absentSince: (id, millis) => gapsOf(id).some((gap) => gap.to >= millis && gap.from <= clock.now()),
    visible: () => [...control.users()].map(personOf),
  }
}
