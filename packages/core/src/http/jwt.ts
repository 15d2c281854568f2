/** Signed assertions: short-lived JSON Web Tokens by which a client proves that it holds a private key. RFC 7523. */
import * as Clock from "effect/Clock"
import * as KeyFormat from "effect/crypto/KeyFormat"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Signature from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Misconfigured } from "../plugin/errors.ts"

const algorithms = {
  RS256: Signature.rsaPkcs1v15Sha256,
  RS384: Signature.rsaPkcs1v15Sha384,
  RS512: Signature.rsaPkcs1v15Sha512,
  PS256: Signature.rsaPssSha256,
  ES256: Signature.ecdsaP256,
  ES384: Signature.ecdsaP384,
} as const

export type JwtAlgorithm = keyof typeof algorithms

export interface AssertionKey {
  /** PEM: PKCS#8, or what older openssl writes (PKCS#1, SEC1). Line ends may be written as `\n`. Not encrypted. */
  readonly privateKey: Redacted.Redacted
  readonly algorithm: JwtAlgorithm
  /** The vendor's name of the key, for the header `kid`. */
  readonly keyId?: string | undefined
  /** The key of the configuration that holds it, for errors. */
  readonly path: ReadonlyArray<string>
}

export interface Claims {
  readonly issuer: string
  readonly subject: string
  readonly audience: string
  /** How long it may be used. */
  readonly seconds: number
}

/**
 * Makes an assertion, each with a `jti` of its own. A vendor takes one once: sign for every attempt at a call, not once
 * for all. `iat` is left out, as a clock that is ahead by seconds would date it in the vendor's future.
 */
export type Sign = (claims: Claims) => Effect.Effect<Redacted.Redacted, Misconfigured>

const formats = {
  "PRIVATE KEY": KeyFormat.pkcs8,
  "RSA PRIVATE KEY": KeyFormat.pkcs1,
  "EC PRIVATE KEY": KeyFormat.sec1,
} as const

/** Of a text that may hold more: openssl writes parameters or attributes before a key. */
const block = /-----BEGIN (?<label>(?:RSA |EC )?PRIVATE KEY)-----[^-]+-----END \k<label>-----/

const isLabel = (label: string | undefined): label is keyof typeof formats =>
  label !== undefined && Object.hasOwn(formats, label)

/** Why it holds no private key that can be used, without a part of it. */
const unusable = (text: string): string => {
  if (text.includes("ENCRYPTED")) {
    return "is encrypted: take the passphrase off with `openssl pkcs8 -in KEY -out PLAIN`, and keep that file to yourself"
  }
  if (/-----BEGIN (PUBLIC KEY|CERTIFICATE)/.test(text)) {
    return "is the public half: the vendor gets that one, this needs the private key"
  }
  return `is no PEM text (-----BEGIN PRIVATE KEY-----): to take it from a file write \${file:/path/to/key.pem}`
}

const services = Layer.provideMerge(Signature.layerWebCrypto, SecureRandom.layerWebCrypto)

const part = (value: unknown): string => Base64Url.encode(JSON.stringify(value))

/** Reads the key once; fails where it is none for this algorithm. */
export const makeSign: (key: AssertionKey) => Effect.Effect<Sign, Misconfigured> = Effect.fnUntraced(function* ({
  privateKey,
  algorithm,
  keyId,
  path,
}) {
  const refused = (message: string) => new Misconfigured({ message: `The private key ${message}.`, path })
  const text = Redacted.value(privateKey).replaceAll("\\n", "\n")
  const found = block.exec(text)
  const label = found?.groups?.label
  if (found === null || !isLabel(label)) return yield* refused(unusable(text))
  const kind = algorithm.startsWith("ES") ? "an elliptic curve key" : "an RSA key"
  const unfit = () => refused(`cannot be used for ${algorithm}, which takes ${kind}`)
  const format = KeyFormat.pem<"private", "decode">(formats[label])
  const key = yield* Effect.mapError(KeyFormat.decodePrivate(format, algorithms[algorithm], found[0]), unfit)
  const signature = yield* Signature.Signature
  const random = yield* SecureRandom.SecureRandom
  const header = part({ alg: algorithm, typ: "JWT", ...(keyId === undefined ? {} : { kid: keyId }) })
  return Effect.fnUntraced(function* ({ issuer, subject, audience, seconds }: Claims) {
    const exp = Math.floor((yield* Clock.currentTimeMillis) / 1000) + seconds
    const claims = { iss: issuer, sub: subject, aud: audience, exp, jti: yield* random.uuidV4() }
    const signed = `${header}.${part(claims)}`
    const bytes = yield* Effect.mapError(signature.sign(key, new TextEncoder().encode(signed)), unfit)
    return Redacted.make(`${signed}.${Base64Url.encode(bytes)}`)
  })
}, Effect.provide(services))
