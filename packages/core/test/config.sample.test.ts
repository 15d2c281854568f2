/** Keys and placeholders that are read off a plugin's schema. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { keysOf } from "../src/config/keys.ts"
import { isPlaceholder, sampleOf } from "../src/config/sample.ts"
import { describe as described } from "../src/plugin/describe.ts"

const secret = Schema.RedactedFromValue(Schema.NonEmptyString)
const host = Schema.String.check(Schema.makeFilter((text: string) => /^[a-z-]+\.eu\.example\.com$/.test(text)))

const Config = Schema.Struct({
  domain: host.pipe(described("The tenant's domain, such as acme.eu.example.com, without a path.")),
  client_id: Schema.optionalKey(Schema.NonEmptyString),
  client_secret: Schema.optionalKey(secret),
  token: Schema.optionalKey(secret),
  rows: Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(50))),
}).check(
  Schema.makeFilter(({ client_id, client_secret, token }) =>
    token !== undefined || (client_id !== undefined && client_secret !== undefined)
      ? undefined
      : "an id and a secret, or a token",
  ),
)

describe("placeholders for a config", () => {
  it("are the required keys and, of the others, what the schema asks for first", () => {
    assert.deepStrictEqual(sampleOf(Config), {
      domain: "change-me.eu.example.com",
      client_id: "change-me",
      client_secret: "change-me",
    })
  })

  it("fit addresses, choices, numbers, lists", () => {
    const url = Schema.String.check(Schema.makeFilter((text: string) => text.startsWith("https://")))
    const schema = Schema.Struct({
      url,
      kind: Schema.Literals(["a", "b"]),
      size: Schema.Int.check(Schema.isBetween({ minimum: 5, maximum: 9 })),
      ids: Schema.Array(Schema.Int),
    })
    assert.deepStrictEqual(sampleOf(schema), { url: "https://change-me.example.com", kind: "a", size: 5, ids: [1] })
  })

  it("have the form that a description shows, and are known as placeholders", () => {
    const id = Schema.String.check(Schema.isPattern(/^ctmpl_\w+$/)).pipe(described("A template, such as ctmpl_acme."))
    assert.deepStrictEqual(sampleOf(Schema.Struct({ id })), { id: "ctmpl_change_me" })
    assert.isTrue(isPlaceholder("ctmpl_change_me") && isPlaceholder("https://change-me.example.com"))
    assert.isFalse(isPlaceholder("ctmpl_abc"))
  })

  it("there are none where nothing fits, and looking for them ends", () => {
    const impossible = Schema.Struct({ code: Schema.String.check(Schema.isPattern(/^\d{9}$/)) })
    assert.isUndefined(sampleOf(impossible))
  })
})

describe("the keys of a config", () => {
  it("say which are secret, required, and what stands for those that are left out", () => {
    const keys = new Map(keysOf(Config).map((key) => [key.name, key]))
    assert.deepStrictEqual(
      [...keys.values()].filter((key) => key.secret).map(({ name }) => name),
      ["client_secret", "token"],
    )
    assert.deepInclude(keys.get("domain"), { required: true, default: undefined })
    assert.deepInclude(keys.get("rows"), { required: false, default: "50" })
  })

  it("a secret that lets nothing be encoded is still a secret", () => {
    const closed = Schema.RedactedFromValue(Schema.String, { disallowEncode: true })
    assert.deepInclude(keysOf(Schema.Struct({ key: closed }))[0], { name: "key", secret: true })
  })
})
