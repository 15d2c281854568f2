// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipeline files hold variables
/** The JSON Schema for editors: it takes what the decoder takes, and describes every key. */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Ajv } from "ajv"
import { parse } from "yaml"
import { jsonSchema } from "../src/config/jsonSchema.ts"
import { modules } from "./configPlugins.ts"

const plugins = Object.entries(modules).map(([use, module]) => ({ use, ...module }))
const schema = jsonSchema(plugins)
const validate = new Ajv({ strict: false, allErrors: true }).compile(schema)
const design = readFileSync(new URL("config.cases/design.yaml", import.meta.url), "utf8")
const errorsOf = (text: string) => {
  validate(parse(text))
  return (validate.errors ?? []).filter(({ keyword }) => keyword !== "if")
}

describe("the generated JSON Schema", () => {
  it("is draft-07, and takes the example of DESIGN 2", () => {
    assert.strictEqual(schema.$schema, "http://json-schema.org/draft-07/schema#")
    assert.deepStrictEqual(errorsOf(design), [])
  })

  it("takes a variable where a number or a choice is wanted, and a plugin it does not know", () => {
    const text = design
      .replace("lists: [20]", 'lists: ["${LIST_ID}"]')
      .replace("sync: incremental", "sync: ${SYNC}")
      .replace("percent: 10", 'percent: "${PERCENT:-10}"')
      .replace("use: salesforce, login_url", "use: ./my-sink.ts, anything: [1], login_url")
    assert.deepStrictEqual(errorsOf(text), [])
  })

  const wrong: ReadonlyArray<readonly [string, string, string, string]> = [
    ["an unknown key of the file", "name: auth0-users", "nmae: x", ""],
    ["an unknown key of a source", "    domain:", "    domian:", "/sources/tenant"],
    ["an unknown key of a sink", "api_key:", "apikey:", "/sinks/brevo"],
    ["an unknown key of a pipeline", "    sync:", "    snyc:", "/pipelines/users"],
    ["an unknown key of a route", "where:", "wehre:", "/pipelines/users/to/brevo.contacts"],
    ["an unknown key of a map entry", "as: date", "sa: date", "/pipelines/users/to/brevo.contacts/map/SIGNUP_DATE"],
    ["an unknown option of a stream", "{ include: [roles] }", "{ inclde: [roles] }", "/pipelines/users/with"],
    ["a wrong option of a stream", "{ include: [roles] }", "{ include: [rules] }", "/pipelines/users/with/include/0"],
    ["a wrong option of an object", "lists: [20]", "lists: [a]", "/pipelines/users/to/brevo.contacts/with/lists/0"],
    [
      "a policy the object does not have",
      "key: ext_id",
      "on_delete: burn",
      "/pipelines/users/to/brevo.contacts/on_delete",
    ],
    ["a bound that is none", "percent: 10", "percent: 200", "/pipelines/users/to/brevo.contacts/max_rejected/percent"],
  ]
  for (const [name, from, to, path] of wrong) {
    it(`refuses ${name}`, () => {
      assert.include(
        errorsOf(design.replace(from, to)).map(({ instancePath }) => instancePath),
        path,
      )
    })
  }

  it("describes every key of the file, of each plugin, and the fields of an object", () => {
    const text = JSON.stringify(schema)
    for (const description of [
      "The tenant's domain.",
      "What to join.",
      "Lists to join.",
      "Its secret.",
      "text, at most 320 characters",
    ])
      assert.include(text, description)
    assert.notInclude(text, '"created"')
    assert.deepStrictEqual(undescribed(schema, []), [])
  })
})

/** Properties without a description, `true` (described elsewhere) apart. */
function undescribed(node: unknown, path: ReadonlyArray<string>): ReadonlyArray<string> {
  if (Array.isArray(node)) return node.flatMap((inner, index) => undescribed(inner, [...path, String(index)]))
  if (typeof node !== "object" || node === null) return []
  return Object.entries(node).flatMap(([key, inner]) => {
    const condition = key === "if"
    if (condition) return []
    if (key !== "properties") return undescribed(inner, [...path, key])
    return Object.entries(inner).flatMap(([name, property]) => {
      const bare = typeof property === "object" && property !== null && !("description" in property)
      // `with` under a condition adds to the described one.
      return [
        ...(bare && name !== "with" ? [[...path, name].join("/")] : []),
        ...undescribed(property, [...path, name]),
      ]
    })
  })
}
