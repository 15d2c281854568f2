/** Questions to the person at the terminal, and what stands for answers where nobody is there. */
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import * as Prompt from "effect/cli/Prompt"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type { QuitError } from "effect/Terminal"
import { UsageError } from "../troubles.ts"

export interface Choice {
  readonly value: string
  readonly description: string
}

export interface Questions {
  /** `flag` answers it on the command line. */
  readonly choose: (
    flag: string,
    message: string,
    choices: ReadonlyArray<Choice>,
    /** What can be named beside the choices. */
    other?: string,
  ) => Effect.Effect<string, UsageError | QuitError>
  readonly text: (
    flag: string,
    message: string,
    initial: string | undefined,
  ) => Effect.Effect<string, UsageError | QuitError>
  readonly confirm: (message: string, initial: boolean) => Effect.Effect<boolean, QuitError>
}

// Prompts ask for files as well, and none of ours does.
const services = Layer.mergeAll(NodeTerminal.layer, FileSystem.layerNoop({}), Path.layer)

const prompt = <A>(self: Prompt.Prompt<A>): Effect.Effect<A, QuitError> => Effect.provide(self, services)

export const atTerminal: Questions = {
  choose: Effect.fnUntraced(function* (flag, message, choices, other) {
    const [only, ...others] = choices
    if (only !== undefined && others.length === 0 && other === undefined) return only.value
    const titled = choices.map(({ value, description }) => ({ title: value, value, description }))
    const open = other === undefined ? [] : [{ title: "another", value: undefined, description: other }]
    const chosen = yield* prompt(Prompt.Select<string | undefined>({ message, choices: [...titled, ...open] }))
    return chosen ?? (yield* atTerminal.text(flag, `${message}: ${other}`, undefined))
  }),
  text: (_flag, message, initial) =>
    prompt(
      Prompt.String({
        message,
        ...(initial === undefined ? {} : { default: initial }),
        validate: (text) => (text.trim() === "" ? Effect.fail("it needs a name") : Effect.succeed(text.trim())),
      }),
    ),
  confirm: (message, initial) => prompt(Prompt.Confirm({ message, initial })),
}

/** Never waits. `first`: takes the first of several choices. */
export const unattended = (first: boolean): Questions => ({
  choose: (flag, message, choices) => {
    const [one, ...others] = choices
    if (one !== undefined && (first || others.length === 0)) return Effect.succeed(one.value)
    return unanswered(flag, message, `one of ${choices.map(({ value }) => value).join(", ")}`)
  },
  text: (flag, message, initial) =>
    initial === undefined ? unanswered(flag, message, "a name") : Effect.succeed(initial),
  confirm: () => Effect.succeed(false),
})

const unanswered = (flag: string, message: string, what: string) =>
  Effect.fail(
    new UsageError({
      message: `nobody is there to answer "${message}"`,
      fix: `give --${flag}: ${what}; --yes takes the first of what there is`,
    }),
  )
