/** Reading a request's body, whose first fault becomes the answer. */
import { type JsonObject, own, type SandboxAnswer } from "../exchange.ts"
import { invalid } from "./errors.ts"

export type Reading<A> =
  | { readonly _tag: "Read"; readonly value: A }
  | { readonly _tag: "Refused"; readonly answer: SandboxAnswer }

/** A refusal on the way through a body, turned into an answer by `reading`. */
class Refusal extends Error {
  readonly answer: SandboxAnswer
  constructor(answer: SandboxAnswer) {
    super("refused")
    this.answer = answer
  }
}

export const refuse = (answer: SandboxAnswer): never => {
  throw new Refusal(answer)
}

export const reading = <A>(read: () => A): Reading<A> => {
  try {
    return { _tag: "Read", value: read() }
  } catch (error) {
    if (error instanceof Refusal) return { _tag: "Refused", answer: error.answer }
    throw error
  }
}

export const flag = (body: JsonObject, name: string): boolean | undefined => {
  const value = own(body, name)
  if (value === undefined || typeof value === "boolean") return value
  return refuse(invalid(`${name} should be of boolean type`))
}

export const listIdsOf = (
  body: JsonObject,
  name: string,
  lists: ReadonlyMap<number, unknown>,
): ReadonlyArray<number> => {
  const value = own(body, name)
  if (value === undefined) return []
  if (!Array.isArray(value) || !value.every((id) => Number.isInteger(id)))
    return refuse(invalid(`${name} should be an array of integers`))
  if (!value.every((id) => lists.has(id))) return refuse(invalid(`${name}: List ID does not exist`))
  return value
}
