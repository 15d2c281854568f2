/** Users that change while a source reads them: a seeded set of changes after every n-th search. */
import * as Schema from "effect/Schema"
import type { Dice } from "./random.ts"
import type { Directory } from "./users/directory.ts"
import type { User } from "./users/generate.ts"
import { phoneOf } from "./users/generate.ts"

export const ChangePlan = Schema.Struct({
  /** Changes follow every n-th answer of GET /users. */
  every: Schema.Int,
  /** How many users change each time. Default 1. */
  count: Schema.optionalKey(Schema.Int),
  /** What happens, each as likely as the others. Default all. */
  kinds: Schema.optionalKey(
    Schema.Array(Schema.Literals(["login", "rename", "metadata", "email", "create", "delete"])),
  ),
  /** Stops after so many changes. */
  times: Schema.optionalKey(Schema.Int),
})
export type ChangePlan = typeof ChangePlan.Type
type ChangeKind = "login" | "rename" | "metadata" | "email" | "create" | "delete"

const allKinds: ReadonlyArray<ChangeKind> = ["login", "rename", "metadata", "email", "create", "delete"]

export interface Changes {
  readonly plan: (plan: ChangePlan | undefined) => void
  /** Called after each search. */
  readonly searched: () => void
  /** Changes made so far. */
  readonly made: () => number
}

export const makeChanges = (directory: Directory, dice: Dice): Changes => {
  let plan: ChangePlan | undefined
  let searches = 0
  let made = 0

  const anyUser = (): User | undefined => {
    const { timeline, userId } = directory.generator
    return timeline.users === 0 ? undefined : directory.get(userId(dice.below(timeline.users)))
  }

  const create = () => {
    const number = `${made}${dice.below(1_000_000)}`
    const user_id = `auth0|new${number.padStart(21, "0")}`
    directory.upsert({
      user_id,
      email: `new.user.${number}@example.com`,
      email_verified: false,
      name: `New ${number}`,
      nickname: `new${number}`,
      picture: "https://cdn.example.com/avatar/new.png",
    })
  }

  const change = (kind: ChangeKind) => {
    const user = kind === "create" ? undefined : anyUser()
    if (user === undefined) return create()
    const { user_id } = user
    const count = typeof user.logins_count === "number" ? user.logins_count : 0
    if (kind === "delete") directory.remove(user_id)
    else if (kind === "login") directory.upsert({ user_id, logins_count: count + 1 })
    else if (kind === "rename") directory.upsert({ user_id, family_name: `Renamed${made}` })
    else if (kind === "email")
      directory.upsert({ user_id, email: `moved.${made}.${dice.below(1_000_000)}@example.com` })
    else directory.upsert({ user_id, user_metadata: { company: `Company ${made}`, phone: phoneOf(9_000_000 + made) } })
  }

  return {
    plan: (next) => {
      plan = next
      searches = 0
      made = 0
    },
    made: () => made,
    searched: () => {
      if (plan === undefined || ++searches % plan.every !== 0) return
      const kinds = plan.kinds ?? allKinds
      for (let n = 0; n < (plan.count ?? 1) && made < (plan.times ?? Number.POSITIVE_INFINITY); n++) {
        change(kinds[dice.below(kinds.length)] ?? "login")
        made += 1
      }
    },
  }
}
