/** What the vendors say for a new pipeline: the destination's fields, and the fields that records have. Reads only. */
import { type ConfigError, type Field, firstRecords, liveFields } from "@sluice/core"
import * as Effect from "effect/Effect"
import { type FileInput, loadText } from "../load.ts"
import { EnvironmentRefused } from "../node/environment.ts"
import type { ConnectionKey } from "./connection.ts"

/** Enough to see which fields are in use. */
const RECORDS = 100

export interface Live {
  readonly fields: ReadonlyArray<Field>
  readonly records: Effect.Success<ReturnType<typeof firstRecords>>
}

/** `text`: the pipeline as far as it is known. */
export const askVendors = Effect.fnUntraced(function* (
  text: string,
  input: FileInput & { readonly state: string | undefined },
) {
  const { plan, env } = yield* loadText(text, input).pipe(Effect.catchTag("ConfigError", asEnvironment))
  const { layer } = yield* Effect.promise(() => import("../node/index.ts"))
  const asking = Effect.gen(function* () {
    const fields = [...(yield* liveFields(plan.pipelines)).values()].flat()
    const [pipeline] = plan.pipelines
    const records = pipeline === undefined ? [] : yield* firstRecords(pipeline, RECORDS)
    const live: Live = { fields, records }
    return live
  })
  return yield* Effect.provide(asking, layer({ stateFile: input.state, env }))
})

/** There is no file yet whose lines could be named: what is wrong is in the values. */
const asEnvironment = ({ problems }: ConfigError) =>
  Effect.fail(
    new EnvironmentRefused({ message: problems.map(({ path, message }) => `${path}: ${message}`).join("; ") }),
  )

/** Those that have no value yet. */
export const unset = (
  keys: ReadonlyArray<ConnectionKey>,
  variables: ReadonlyMap<string, string>,
): ReadonlyArray<ConnectionKey> =>
  keys.filter(({ variable, placeholder }) => [undefined, "", placeholder].includes(variables.get(variable)))
