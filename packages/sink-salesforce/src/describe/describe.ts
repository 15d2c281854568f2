/** The organization's objects as it describes them, each asked for once a run. */
import type { SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Semaphore from "effect/Semaphore"
import type { Connected } from "../connection.ts"
import { callFailed } from "../errors.ts"
import { type DescribedField, decode } from "../shapes.ts"

export interface SObject {
  readonly name: string
  /** What the ids of its records begin with. */
  readonly prefix: string | undefined
  /** The user may. */
  readonly createable: boolean
  readonly updateable: boolean
  /** By exact name. Fields that the user may not see are not there. */
  readonly fields: ReadonlyMap<string, DescribedField>
}

export type Describe = (name: string) => Effect.Effect<SObject, SinkError>

export const makeDescribe = ({ ask }: Pick<Connected, "ask">): Describe => {
  const known = new Map<string, SObject>()
  const one = Semaphore.makeUnsafe(1)

  const look = Effect.fnUntraced(function* (name: string) {
    const found = known.get(name)
    if (found !== undefined) return found
    const reply = yield* ask({
      name: "describe",
      request: HttpClientRequest.get(`/sobjects/${name}/describe`),
      decode: decode.described,
    })
    if (reply._tag === "Trouble") {
      return yield* callFailed(`the object ${name} does not exist, or the user may not see it`, reply)
    }
    const { keyPrefix, createable = true, updateable = true, fields } = reply.value
    const described: SObject = {
      name: reply.value.name,
      prefix: keyPrefix ?? undefined,
      createable,
      updateable,
      fields: new Map(fields.map((field) => [field.name, field])),
    }
    known.set(name, described)
    return described
  })

  return (name) => one.withPermit(look(name))
}
