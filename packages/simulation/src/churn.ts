/** What happens to users: they come, change, return to an earlier value, vanish and come back. */
import type { Dice } from "./dice.ts"
import type { Fields, People } from "./people.ts"
import type { Scenario } from "./scenario.ts"

const names = ["Ada", "Bob", "Eve", "Poison"]

export const makeChurn = (people: People, dice: Dice, scenario: Pick<Scenario, "sharesEmails">) => {
  let made = 0
  const anybody = () => dice.pick(people.ids())
  const email = () => `mail${dice.below(4)}@example.com`

  const create = (): string => {
    // Numbers go up and down, so that ids do not sort as they were made.
    const id = `u${(made * 7) % 31}`
    made += 1
    const fields: Partial<Fields> = {
      given_name: dice.pick(names.slice(0, 3)),
      ...(scenario.sharesEmails && dice.chance(0.5) ? { email: email() } : {}),
      ...(dice.chance(0.2) ? { email_verified: false } : {}),
    }
    people.put(id, fields)
    return `create ${id}`
  }

  const rename = (): string => {
    const id = anybody()
    if (people.current(id) === undefined) return comeBack(id)
    const given_name = dice.chance(0.1) ? "Poison" : dice.pick(names.slice(0, 3))
    people.put(id, { given_name })
    return `rename ${id} ${given_name}`
  }

  /** With the values it had, or others. */
  const comeBack = (id: string): string => {
    const last = people.versions(id).at(-1)
    if (last === undefined) return ""
    const { given_name, email_verified, email } = last
    people.put(id, { email, email_verified, given_name: dice.chance(0.5) ? given_name : dice.pick(names) })
    return `come back ${id}`
  }

  const verify = (): string => {
    const id = anybody()
    const person = people.current(id)
    if (person === undefined) return comeBack(id)
    people.put(id, { email_verified: !person.email_verified })
    return `verify ${id} ${!person.email_verified}`
  }

  const move = (): string => {
    const id = anybody()
    if (people.current(id) === undefined) return comeBack(id)
    const address = scenario.sharesEmails && dice.chance(0.5) ? email() : `${id}.${dice.below(3)}@example.com`
    people.put(id, { email: address })
    return `move ${id} ${address}`
  }

  const vanish = (): string => {
    const id = anybody()
    people.remove(id)
    return `vanish ${id}`
  }

  return (what?: "create"): string => {
    if (what === "create" || people.ids().length === 0) return create()
    const draw = dice.next()
    if (draw < 0.4) return rename()
    if (draw < 0.5) return create()
    if (draw < 0.65) return vanish()
    if (draw < 0.8) return verify()
    return move()
  }
}
