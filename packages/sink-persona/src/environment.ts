/** Which environment answers: every answer of Persona says it, and one that is not meant ends the run before a write. */
import { type Answer, type Identity, Misconfigured, Protocol, SinkError, type Verdict } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { PersonaConfig } from "./config.ts"

export interface Environment {
  /** Holds each answer against the environment before anything is made of it. */
  readonly checked: (classify: (answer: Answer) => Verdict) => (answer: Answer) => Verdict
  /** Who answers, found out by `ask` where nothing was asked yet; fails where no answer says it. */
  readonly identity: (ask: Effect.Effect<void, SinkError>) => Effect.Effect<Identity, SinkError>
}

const wrong = (message: string): Verdict => ({
  _tag: "Fail",
  reason: new Misconfigured({ message, path: ["api_key"] }),
})

export const makeEnvironment = (config: Pick<PersonaConfig, "environment" | "environment_id">): Environment => {
  let seen: { readonly id: string; readonly organization: string | undefined } | undefined

  const told = Effect.suspend(() => {
    if (seen === undefined) {
      const message = "Persona: no answer says which environment it is from (Persona-Environment-Id)"
      return Effect.fail(new SinkError({ reason: new Protocol({ message }) }))
    }
    const { id, organization } = seen
    const kind = config.environment === undefined ? "" : `${config.environment} `
    return Effect.succeed({ account: id, label: `${kind}${organization ?? id}` })
  })

  return {
    checked: (classify) => (answer) => {
      const id = answer.headers["persona-environment-id"]
      if (id === undefined) return classify(answer)
      if (config.environment_id !== undefined && config.environment_id !== id) {
        return wrong(`Persona: the key is of the environment ${id}, and environment_id says ${config.environment_id}`)
      }
      if (seen !== undefined && seen.id !== id) {
        return wrong(`Persona: the environment ${id} answers in the place of ${seen.id}`)
      }
      seen = { id, organization: answer.headers["persona-organization-id"] }
      return classify(answer)
    },
    identity: (ask) => Effect.suspend(() => (seen === undefined ? Effect.andThen(ask, told) : told)),
  }
}
