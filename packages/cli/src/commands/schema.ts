/** `sluice schema`: the JSON Schema of pipeline files, and with `--connect` the live fields of a file's destinations. */
import { type Field, jsonSchema, liveFields, Plugins, testJsonSchema } from "@sluice/core"
import * as Effect from "effect/Effect"
import { EXIT } from "../exit.ts"
import { loadToConnect } from "../load.ts"
import { layer as pluginsLayer, shortNames } from "../node/plugins.ts"
import { present } from "../present.ts"
import { table } from "../render/table.ts"
import { clean, type Page } from "../render/text.ts"
import { UsageError } from "../troubles.ts"

export interface SchemaInput {
  readonly tests: boolean
  readonly connect: string | undefined
  readonly lock: boolean
  readonly json: boolean
  readonly envFile: string | undefined
  readonly state: string | undefined
}

const fileSchema = Effect.gen(function* () {
  const plugins = yield* Plugins
  const named = yield* Effect.forEach(shortNames.keys(), (use) =>
    Effect.map(plugins.load(use, "sluice.yaml"), (module) => ({ use, ...module })),
  )
  yield* present(jsonSchema(named), { json: true, render: () => "", exit: EXIT.done })
}).pipe(Effect.provide(pluginsLayer))

interface Destinations {
  readonly [route: string]: ReadonlyArray<Field>
}

const live = Effect.fnUntraced(function* (file: string, input: SchemaInput) {
  const { plan, env } = yield* loadToConnect({ file, envFile: input.envFile })
  const { layer } = yield* Effect.promise(() => import("../node/index.ts"))
  const found = yield* liveFields(plan.pipelines).pipe(Effect.provide(layer({ stateFile: input.state, env })))
  yield* present<Destinations>(Object.fromEntries(found), { json: input.json, render, exit: EXIT.done })
})

const render = (destinations: Destinations, page: Page): string =>
  Object.entries(destinations)
    .map(([route, fields]) => [page.style.bold(clean(route)), ...fieldTable(fields, page)].join("\n"))
    .join("\n\n")

const fieldTable = (fields: ReadonlyArray<Field>, page: Page): ReadonlyArray<string> =>
  table(
    [{ title: "field", least: 12 }, { title: "type" }, { title: "notes", least: 20, lines: 4 }],
    fields.map((field) => [clean(field.name), field.type, clean(notes(field))]),
    page.width - 2,
    page.style.dim,
  ).map((line) => `  ${line}`)

const notes = (field: Field): string =>
  [
    ...(field.key === true ? ["key"] : []),
    ...(field.required === true ? ["required"] : []),
    ...(field.writable ? [] : ["read-only"]),
    ...(field.nullable === false && field.required !== true ? ["never without a value"] : []),
    ...(field.format === undefined ? [] : [`form: ${field.format}`]),
    ...(field.max === undefined ? [] : [`at most ${field.max} characters`]),
    ...(field.digits === undefined ? [] : [`at most ${field.digits} digits before the point`]),
    ...(field.options === undefined ? [] : [`one of ${field.options.join(", ")}`]),
  ].join("; ")

/** Loaded only when asked: it writes. */
const lock = Effect.fnUntraced(function* (input: SchemaInput) {
  if (input.connect === undefined) {
    const fix = "`sluice schema --connect FILE --lock`"
    return yield* new UsageError({ message: "--lock saves the live fields of a file's destinations", fix })
  }
  const { saveLock } = yield* Effect.promise(() => import("./schemaLock.ts"))
  yield* saveLock(input.connect, input)
})

export const handler = Effect.fnUntraced(function* (input: SchemaInput) {
  if (input.tests) yield* present(testJsonSchema(), { json: true, render: () => "", exit: EXIT.done })
  else if (input.lock) yield* lock(input)
  else if (input.connect === undefined) yield* fileSchema
  else yield* live(input.connect, input)
})
