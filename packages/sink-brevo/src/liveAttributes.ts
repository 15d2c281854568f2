/** The account's attributes during a run, with those that the route may have made. */
import { Refused, SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { BrevoApi } from "./api.ts"
import { type Attribute, declared, readAttributes } from "./attributes.ts"
import type { ContactOptions } from "./config.ts"
import { stop, type Trouble } from "./errors.ts"

type Attributes = ReadonlyMap<string, Attribute>

export interface LiveAttributes {
  /** What is there, and what a run will make before it writes. Reads only. */
  readonly known: Effect.Effect<Attributes, SinkError>
  /** Makes what is missing. Called before the first write of a run. */
  readonly ready: Effect.Effect<void, SinkError>
}

const OPTION = "create_missing_attributes"

/** Somebody made it since we looked. */
const exists = (trouble: Trouble): boolean =>
  trouble._tag === "Conflict" || (trouble._tag === "Rejected" && /duplicate|exist/i.test(trouble.code))

export const makeLiveAttributes = (api: BrevoApi, options: ContactOptions): LiveAttributes => {
  const wanted = Object.entries(options.create_missing_attributes)

  // Read once and kept: a failure is not kept, so that the engine's next attempt asks again.
  let found: Attributes | undefined
  const live = Effect.suspend(() =>
    found === undefined
      ? Effect.map(api.attributes, (answers) => {
          found = readAttributes(answers)
          return found
        })
      : Effect.succeed(found),
  )

  const check = (there: Attributes): Effect.Effect<void, SinkError> => {
    const other = wanted.find(([name, type]) => there.has(name) && there.get(name)?.kind !== type)
    if (other === undefined) return Effect.void
    const [name, type] = other
    const message = `the account has ${name} already, as ${there.get(name)?.kind} and not as ${type}`
    return Effect.fail(stop(message, ["with", OPTION, name]))
  }

  const toCome = wanted.map(([name, type]) => [name, declared(name, type)] as const)
  const known = Effect.flatMap(live, (there) =>
    Effect.as(check(there), toCome.length === 0 ? there : new Map([...toCome, ...there])),
  )

  const create = Effect.fnUntraced(function* (name: string, type: string) {
    const reply = yield* api.createAttribute(name, type)
    if (reply._tag === "Done" || exists(reply)) return
    const message = `Brevo did not make the attribute ${name}; make it there, or leave it out of ${OPTION}`
    yield* new SinkError({
      reason: new Refused({ message, code: reply._tag === "Rejected" ? reply.code : reply._tag }),
    })
  })

  const ready = Effect.gen(function* () {
    const there = yield* live
    yield* check(there)
    const missing = wanted.filter(([name]) => !there.has(name))
    if (missing.length === 0) return
    for (const [name, type] of missing) yield* create(name, type)
    // Read again: a write to an attribute that is not there after all would be lost without a word.
    found = undefined
    const now = yield* live
    yield* check(now)
    const absent = missing.find(([name]) => !now.has(name))
    if (absent !== undefined) yield* stop(`Brevo made no attribute ${absent[0]}`, ["with", OPTION, absent[0]])
  })

  return { known, ready }
}
