// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipeline files hold variables
/** Planning a file: every problem at once with its place, and pipelines when there is none. */
import { readFileSync } from "node:fs"
import { assert, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { SecretFileError } from "../src/config/interpolate.ts"
import { printProblem } from "../src/config/problem.ts"
import { plan } from "../src/engine/plan/plan.ts"
import { modules, pluginsLayer } from "./configPlugins.ts"

const readCase = (name: string) => readFileSync(new URL(`config.cases/${name}.yaml`, import.meta.url), "utf8")
const env = {
  AUTH0_DOMAIN: "tenant.example.com",
  AUTH0_CLIENT_ID: "0123",
  AUTH0_CLIENT_SECRET: "test-secret",
  BREVO_API_KEY: "12345",
  SF_LOGIN_URL: "https://login.example.com",
  SF_CLIENT_ID: "client",
  SF_CLIENT_SECRET: "true",
}
const readSecretFile = (path: string) => Effect.fail(new SecretFileError({ message: `${path} cannot be read` }))
const planText = (text: string, file = "pipeline.yaml", variables: { readonly [name: string]: string } = env) =>
  plan({ file, text, env: variables, readSecretFile }).pipe(Effect.provide(pluginsLayer))
const problemsOf = (text: string, file?: string, variables?: { readonly [name: string]: string }) =>
  Effect.flip(planText(text, file, variables)).pipe(Effect.map(({ problems }) => problems))

const design = readCase("design")

describe("a good file", () => {
  it.effect("the example of DESIGN 2 becomes one pipeline with two routes", () =>
    Effect.gen(function* () {
      const { name, pipelines, warnings } = yield* planText(design)
      const [users] = pipelines
      assert.deepStrictEqual([name, pipelines.length, warnings], ["auth0-users", 1, []])
      assert.deepStrictEqual([users?.name, users?.id, users?.sync], ["users", "auth0-users.users", "incremental"])
      assert.deepStrictEqual(users?.stream.options, { include: ["roles"] })
      assert.deepStrictEqual(users?.deadLetters, { payload: "full" })
      const [contacts, person] = users?.routes ?? []
      assert.deepStrictEqual(
        [contacts?.name, contacts?.object, person?.name],
        ["brevo.contacts", "contacts", "crm.Contact"],
      )
      assert.deepStrictEqual(contacts?.options, { lists: [20] })
      assert.deepStrictEqual(contacts?.written, { lists: [20] })
      assert.deepStrictEqual(contacts?.maxRejected, { percent: 10, count: 100 })
      assert.deepStrictEqual(person?.maxRejected, { percent: undefined, count: undefined })
      assert.deepStrictEqual([person?.onDelete, person?.onLeave, person?.onKeyConflict], ["keep", "keep", "reject"])
      assert.strictEqual(contacts?.mapping.key, "ext_id")
      assert.deepStrictEqual(contacts?.mapping.fields[3], { source: "user_metadata.company", field: "COMPANY" })
    }),
  )

  it.effect("rule 9: secrets are Redacted from decoding on, and stay text when they read as a number or boolean", () =>
    Effect.gen(function* () {
      const { pipelines } = yield* planText(design)
      const secrets = Schema.Struct({
        api_key: Schema.optionalKey(Schema.Redacted(Schema.String)),
        client_secret: Schema.optionalKey(Schema.Redacted(Schema.String)),
      })
      const configs = pipelines[0]?.routes.map((route) => Schema.decodeUnknownSync(secrets)(route.sink.config)) ?? []
      assert.strictEqual(configs[0]?.api_key && Redacted.value(configs[0].api_key), "12345")
      assert.strictEqual(configs[1]?.client_secret && Redacted.value(configs[1].client_secret), "true")
      assert.notInclude(JSON.stringify(pipelines), "12345")
    }),
  )

  const small = (extra: string, route = "") => `
sources: { tenant: { use: auth0, domain: d, client_id: c, client_secret: "\${AUTH0_CLIENT_SECRET}" } }
sinks: { brevo: { use: brevo, api_key: "\${BREVO_API_KEY}"${extra} } }
pipelines: { users: { from: tenant.users, to: { brevo.contacts: { ${route}map: { ext_id: user_id } } } } }`

  it.effect("what is left out gets its default: name, key, sync, options", () =>
    Effect.gen(function* () {
      const { name, pipelines } = yield* planText(small(""), "configs/auth0-to-brevo.yaml")
      const [users] = pipelines
      assert.deepStrictEqual([name, users?.id, users?.sync], ["auth0-to-brevo", "auth0-to-brevo.users", "full"])
      assert.strictEqual(users?.routes[0]?.mapping.key, "ext_id")
      assert.deepStrictEqual(users?.routes[0]?.written, {})
      assert.deepStrictEqual(users?.source.endpoint, {
        name: "tenant",
        baseUrl: undefined,
        share: undefined,
        insecure: false,
      })
    }),
  )

  it.effect("base_url: empty is none, loopback may be http, another host needs insecure", () =>
    Effect.gen(function* () {
      const baseUrl = (extra: string) =>
        planText(small(extra)).pipe(Effect.map(({ pipelines }) => pipelines[0]?.routes[0]?.sink.endpoint.baseUrl))
      assert.strictEqual(yield* baseUrl(', base_url: "${NOT_SET:-}"'), undefined)
      assert.strictEqual(yield* baseUrl(", base_url: 'http://127.0.0.1:8080/brevo'"), "http://127.0.0.1:8080/brevo")
      assert.strictEqual(yield* baseUrl(", base_url: 'http://proxy.test', insecure: true"), "http://proxy.test")
      for (const bad of [
        "http://proxy.test",
        "ftp://localhost",
        "https://u:p@h.test",
        "https://h.test?x=1",
        "h.test",
      ]) {
        const problems = yield* problemsOf(small(`, base_url: '${bad}'`))
        assert.deepStrictEqual(
          problems.map(({ code, path }) => `${code} ${path}`),
          ["address.invalid sinks.brevo.base_url"],
        )
      }
    }),
  )

  it.effect("a list of one unquoted variable is a list of numbers, and `written` has the number", () =>
    Effect.gen(function* () {
      const text = small("", "with: { lists: [${LIST_ID}] }, ")
      const { pipelines } = yield* planText(text, "f.yaml", { ...env, LIST_ID: "20" })
      assert.deepStrictEqual(pipelines[0]?.routes[0]?.options, { lists: [20] })
      assert.strictEqual(pipelines[0]?.routes[0]?.optionsFingerprint, '{"lists":[20]}')
    }),
  )

  it.effect("S02: a secret in the file is a warning that does not repeat it", () =>
    Effect.gen(function* () {
      const { warnings } = yield* planText(design.replace('"${BREVO_API_KEY}"', "xkeysib-test"))
      assert.deepStrictEqual(warnings.map(printProblem), [
        "pipeline.yaml:11:33: warning secret.inline at sinks.brevo.api_key: a secret in the file; write ${API_KEY} or ${file:/path} instead",
      ])
    }),
  )
})

describe("a file with problems", () => {
  it.effect("reports every problem at once, in the order of the file, each with code, place and suggestion", () =>
    Effect.gen(function* () {
      const problems = yield* problemsOf(readCase("everything-wrong"), "f.yaml", {})
      const text = problems.map(printProblem).join("\n")
      // The expected text stands beside the case; `vitest -u` writes it anew.
      yield* Effect.promise(() => expect(text).toMatchFileSnapshot("config.cases/everything-wrong.txt"))
      assert.notInclude(text, "test-secret")
    }),
  )

  it.effect("a missing variable is one problem: nothing that follows from it is reported", () =>
    Effect.gen(function* () {
      const { BREVO_API_KEY: _, ...rest } = env
      const problems = yield* problemsOf(design, "f.yaml", { ...rest, BREVO_API_KY: "1" })
      assert.deepStrictEqual(problems.map(printProblem), [
        "f.yaml:11:33: error variable.missing at sinks.brevo.api_key: the variable BREVO_API_KEY is not set; set it, or write ${BREVO_API_KEY:-default}; did you mean `BREVO_API_KY`?",
      ])
    }),
  )

  it.effect("E09: what the destination requires, cannot write or spells otherwise is known without asking it", () =>
    Effect.gen(function* () {
      const text = design
        .replace("          LastName: {", "          Surname: {")
        .replace("          email: email", "          EMAIL: email\n          created: created_at")
        .replace("key: ext_id", "key: ext_if")
      const problems = yield* problemsOf(text)
      assert.deepStrictEqual(
        problems.map(({ code, path, suggestion }) => `${code} ${path} ${suggestion ?? ""}`),
        [
          'key.not-mapped pipelines.users.to["brevo.contacts"].key ext_id',
          'field.case pipelines.users.to["brevo.contacts"].map.EMAIL email',
          'field.read-only pipelines.users.to["brevo.contacts"].map.created ',
          'field.missing pipelines.users.to["crm.Contact"].map ',
        ],
      )
    }),
  )

  it.effect("S01: no problem holds a value, whatever is wrong about it", () =>
    Effect.gen(function* () {
      for (const path of ["domain", "client_secret", "use", "share", "insecure", "base_url"]) {
        const text = design.replace(
          "    client_secret: ${AUTH0_CLIENT_SECRET}",
          `    client_secret: [canary-1, {x: canary-2}]\n    ${path}: {y: canary-3}`,
        )
        const problems = yield* problemsOf(text)
        assert.notInclude(JSON.stringify(problems), "canary")
      }
    }),
  )

  it.effect("keys that Object has are unknown keys, names and fields like any other", () =>
    Effect.gen(function* () {
      const text = design
        .replace("from: tenant.users", "from: tenant.constructor")
        .replace("brevo.contacts:", "brevo.toString:")
        .replace("crm.Contact:", "valueOf.Contact:")
      const problems = yield* problemsOf(text)
      assert.deepStrictEqual(
        problems.map(({ code }) => code),
        ["stream.unknown", "object.unknown", "sink.unknown"],
      )
    }),
  )

  for (const text of ["just text", "[1, 2]", "sources: 1\nsinks: []\npipelines:", "{}"]) {
    it.effect(`a file that is ${JSON.stringify(text)} is refused without a defect`, () =>
      Effect.gen(function* () {
        const problems = yield* problemsOf(text)
        assert.isNotEmpty(problems)
        for (const { code } of problems) assert.match(code, /^(value\.type|key\.missing)$/)
      }),
    )
  }

  it("the fake plugins are the ones the example names", () =>
    assert.containsAllKeys(modules, ["auth0", "brevo", "salesforce"]))
})
