/** Assertions: what Node's own crypto verifies, whichever form the key has, and what a wrong key is told. */
import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { type JwtAlgorithm, makeSign } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey

const pem = (key: KeyObject, type: "pkcs1" | "pkcs8" | "sec1" = "pkcs8") => {
  const text = key.export({ type, format: "pem" })
  return typeof text === "string" ? text : text.toString()
}

const signer = (privateKey: string, algorithm: JwtAlgorithm, keyId?: string) =>
  makeSign({ privateKey: Redacted.make(privateKey), algorithm, keyId, path: ["private_key"] })

const claims = { issuer: "test-client", subject: "test-subject", audience: "https://acme.example.com/", seconds: 60 }

const read = (text: string | undefined) => JSON.parse(Buffer.from(text ?? "", "base64url").toString())

/** RFC 7518 §3.3 to §3.5, with Node's names for them. */
const verifying = {
  RS256: { hash: "sha256" },
  RS384: { hash: "sha384" },
  RS512: { hash: "sha512" },
  PS256: { hash: "sha256", padding: 6, saltLength: 32 },
  ES256: { hash: "sha256", dsaEncoding: "ieee-p1363" },
  ES384: { hash: "sha384", dsaEncoding: "ieee-p1363" },
} as const

const verified = (jwt: string, algorithm: JwtAlgorithm, key: KeyObject): boolean => {
  const [header, payload, signature] = jwt.split(".")
  const { hash, ...how } = verifying[algorithm]
  const signed = Buffer.from(`${header}.${payload}`)
  return verify(hash, signed, { key: createPublicKey(key), ...how }, Buffer.from(signature ?? "", "base64url"))
}

describe("an assertion", () => {
  const cases: ReadonlyArray<readonly [JwtAlgorithm, string, KeyObject, string]> = [
    ["RS256", "PKCS#8", rsa, pem(rsa)],
    ["RS256", "PKCS#1", rsa, pem(rsa, "pkcs1")],
    ["RS256", "one line with \\n for its line ends", rsa, pem(rsa).trim().replaceAll("\n", "\\n")],
    ["RS256", "CRLF line ends", rsa, pem(rsa).replaceAll("\n", "\r\n")],
    ["RS384", "PKCS#8", rsa, pem(rsa)],
    ["RS512", "PKCS#8", rsa, pem(rsa)],
    ["PS256", "PKCS#8", rsa, pem(rsa)],
    ["ES256", "PKCS#8", p256, pem(p256)],
    [
      "ES256",
      "SEC1 after its parameters",
      p256,
      `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${pem(p256, "sec1")}`,
    ],
    ["ES384", "PKCS#8", p384, pem(p384)],
  ]
  for (const [algorithm, form, key, text] of cases) {
    it.effect(`${algorithm}, ${form}: verifies by another implementation, with its claims`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(1_800_000_000_500)
        const sign = yield* signer(text, algorithm, "test-kid")
        const jwt = Redacted.value(yield* sign(claims))
        assert.isTrue(verified(jwt, algorithm, key))
        const [header, payload] = jwt.split(".")
        assert.deepStrictEqual(read(header), { alg: algorithm, typ: "JWT", kid: "test-kid" })
        const { jti, ...rest } = read(payload)
        assert.match(jti, /^[0-9a-f-]{36}$/)
        assert.deepStrictEqual(rest, {
          iss: "test-client",
          sub: "test-subject",
          aud: "https://acme.example.com/",
          exp: 1_800_000_060,
        })
      }),
    )
  }

  it.effect("has an id of its own each time, and no `kid` unless there is one", () =>
    Effect.gen(function* () {
      const sign = yield* signer(pem(p256), "ES256")
      const [first, second] = [yield* sign(claims), yield* sign(claims)].map((each) => Redacted.value(each).split("."))
      assert.notStrictEqual(read(first?.[1]).jti, read(second?.[1]).jti)
      assert.notProperty(read(first?.[0]), "kid")
    }),
  )
})

describe("a key that cannot be used", () => {
  const encrypted = rsa.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "test" }).toString()
  const publicHalf = createPublicKey(rsa).export({ type: "spki", format: "pem" }).toString()
  const cases: ReadonlyArray<readonly [string, string, JwtAlgorithm, RegExp]> = [
    ["an encrypted key", encrypted, "RS256", /is encrypted.*openssl pkcs8/],
    ["the public key", publicHalf, "RS256", /public half/],
    ["a path", "/run/secrets/key.pem", "RS256", /\$\{file:/],
    ["nothing", "", "RS256", /no PEM text/],
    ["an RSA key for ES256", pem(rsa), "ES256", /cannot be used for ES256, which takes an elliptic curve key/],
    ["an elliptic curve key for RS256", pem(p256), "RS256", /cannot be used for RS256, which takes an RSA key/],
    ["another curve", pem(p384), "ES256", /cannot be used for ES256/],
    ["a cut key", `${pem(rsa).slice(0, 400)}\n-----END PRIVATE KEY-----`, "RS256", /cannot be used/],
  ]
  for (const [name, text, algorithm, says] of cases) {
    it.effect(`${name}: is Misconfigured, says what to do and repeats nothing of it`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(signer(text, algorithm))
        assert.strictEqual(error._tag, "Misconfigured")
        assert.deepStrictEqual(error.path, ["private_key"])
        assert.match(error.message, says)
        for (const line of text.split("\n").filter((each) => each.length > 20)) assert.notInclude(error.message, line)
      }),
    )
  }
})
