/** What every plugin keeps about its config: described, checked all at once, and its secrets never shown. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { PluginModule } from "../config/plugins.ts"
import { type ConformanceCase, ConformanceError, expect, fail, onClock } from "./case.ts"
import { NAME, problemsOf } from "./planning.ts"

export interface ConfigSubject {
  readonly section: "sources" | "sinks"
  readonly plugin: PluginModule
  readonly schema: Schema.Codec<unknown, unknown>
  /** As in a pipeline file. */
  readonly config: { readonly [key: string]: Schema.Json }
  /** Of the stream or object under test. */
  readonly options: Schema.Codec<unknown, unknown>
}

export const configCases = (subject: ConfigSubject): ReadonlyArray<ConformanceCase> => [
  onClock("every field of config and options is described", described(subject)),
  onClock("S02: secrets are Redacted and stay out of JSON", secretsHidden(subject)),
  onClock("config: every problem at once, each with its path, and no value of a secret", problems(subject)),
]

const SECRET_NAME = /secret|token|password|passphrase|credential|(^|_)key$/i

/** The texts that must never be seen. */
export const secretsOf = ({ config }: Pick<ConfigSubject, "config">): ReadonlyArray<string> =>
  Object.entries(config).flatMap(([name, value]) =>
    SECRET_NAME.test(name) && typeof value === "string" && value !== "" ? [value] : [],
  )

/** Fails where one of the texts is in what somebody will read. */
export const hides = (texts: ReadonlyArray<string>, shown: string, what: string) => {
  const found = texts.findIndex((text) => shown.includes(text))
  return expect(found < 0, `${what} shows ${found < 0 ? "" : (texts[found] ?? "").slice(0, 3)}…`)
}

const described = ({ schema, options }: ConfigSubject) =>
  Effect.suspend(() => {
    const bare = [...undescribed(schema), ...undescribed(options).map((name) => `with.${name}`)]
    return expect(bare.length === 0, `fields without a description: ${bare.join(", ")}`)
  })

const propertiesOf = (schema: Schema.Codec<unknown, unknown>): ReadonlyArray<readonly [string, unknown]> =>
  Object.entries(Schema.toJsonSchemaDocument(schema).schema.properties ?? {})

const undescribed = (schema: Schema.Codec<unknown, unknown>): ReadonlyArray<string> =>
  propertiesOf(schema).flatMap(([name, node]) => (hasDescription(node) ? [] : [name]))

/** A check keeps the description in an `allOf`. */
const hasDescription = (node: unknown): boolean => {
  if (typeof node !== "object" || node === null) return false
  if ("description" in node && typeof node.description === "string") return node.description !== ""
  return "allOf" in node && Array.isArray(node.allOf) && node.allOf.some(hasDescription)
}

const secretsHidden = Effect.fnUntraced(function* (subject: ConfigSubject) {
  const config = yield* Schema.decodeUnknownEffect(subject.schema)(subject.config).pipe(
    Effect.mapError((error) => new ConformanceError({ message: `config: ${error.message}` })),
  )
  const fields = typeof config === "object" && config !== null ? Object.entries(config) : []
  const open = fields.filter(
    ([name, value]) => SECRET_NAME.test(name) && value !== undefined && !Redacted.isRedacted(value),
  )
  yield* expect(open.length === 0, `not Redacted: ${open.map(([name]) => name).join(", ")}`)
  const exposed = propertiesOf(subject.schema)
    .map(([name]) => name)
    .filter((name) => SECRET_NAME.test(name) && !Object.hasOwn(subject.config, name))
  for (const name of exposed) yield* wouldBeRedacted(subject, name)
  yield* hides(secretsOf(subject), JSON.stringify(config), "the config as JSON")
})

/** A secret that this config does not use. */
const wouldBeRedacted = Effect.fnUntraced(function* (subject: ConfigSubject, name: string) {
  const config = yield* Schema.decodeUnknownEffect(subject.schema)({ ...subject.config, [name]: "test-secret" }).pipe(
    Effect.orElseSucceed(() => undefined),
  )
  // It may not go together with the others: then this config says nothing about it.
  if (typeof config !== "object" || config === null) return
  const value = Object.entries(config).find(([key]) => key === name)?.[1]
  yield* expect(value === undefined || Redacted.isRedacted(value), `not Redacted: ${name}`)
})

/** Each key gets a map, which no text or number is, with the secret in it. */
const problems = Effect.fnUntraced(function* (subject: ConfigSubject) {
  const keys = Object.keys(subject.config)
  const wrong = Object.fromEntries(Object.entries(subject.config).map(([key, value]) => [key, { was: value }]))
  const file = { [subject.section]: { [NAME]: { use: "plugin", ...wrong, no_such_key: 1 } } }
  const error = yield* problemsOf(file, { plugin: subject.plugin })
  if (error === undefined) return yield* fail("a config with every key wrong is accepted")
  const { section } = subject
  const paths = error.problems.map(({ path }) => path)
  const missing = [...keys, "no_such_key"].filter(
    (key) => !paths.some((path) => path.startsWith(`${section}.${NAME}.${key}`)),
  )
  yield* expect(missing.length === 0, `no problem is reported for ${missing.join(", ")}`)
  yield* hides(secretsOf(subject), `${error.message} ${JSON.stringify(error.problems)}`, "a config problem")
})
