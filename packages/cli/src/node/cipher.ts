/** AES-256-GCM for the state, with the key from SLUICE_STATE_KEY. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scryptSync } from "node:crypto"
import { Cipher, layerPlain, plainText, Unsealable } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { EnvironmentRefused } from "./environment.ts"

export interface CipherOptions {
  /** 32 bytes as hex or base64, or a passphrase of 16 characters or more. Without it texts are stored as they are. */
  readonly key: Redacted.Redacted | undefined
  /** The key before the last change: opens, and is never used to seal. */
  readonly previousKey?: Redacted.Redacted | undefined
}

const MARK = "aes256gcm"
const NONCE_BYTES = 12
const TAG_BYTES = 16
const SHORTEST_PASSPHRASE = 16

interface Key {
  /** Tells keys apart in what they sealed; says nothing about the key. */
  readonly id: string
  readonly bytes: Uint8Array
}

const derive = (bytes: Uint8Array, purpose: string, length: number): Buffer =>
  Buffer.from(hkdfSync("sha256", bytes, "", `sluice state ${purpose}`, length))

/** A passphrase has no random salt beside it, so a random key is better and the documentation says so. */
const keyMaterial = (text: string): Uint8Array | undefined => {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, "hex")
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return Buffer.from(text, "base64")
  if (text.length < SHORTEST_PASSPHRASE) return undefined
  return scryptSync(text, "sluice state passphrase", 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 })
}

const readKey = (variable: string, key: Redacted.Redacted): Effect.Effect<Key, EnvironmentRefused> =>
  Effect.suspend(() => {
    const material = keyMaterial(Redacted.value(key).trim())
    if (material === undefined) {
      const message = `${variable} is too short: use 32 random bytes, such as the output of "openssl rand -base64 32"`
      return Effect.fail(new EnvironmentRefused({ message }))
    }
    return Effect.succeed({ id: derive(material, "key id", 6).toString("hex"), bytes: derive(material, "key", 32) })
  })

const seal = (key: Key, text: string, place: string): string => {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv("aes-256-gcm", key.bytes, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(place))
  const body = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()])
  return `${MARK}.${key.id}.${body.toString("base64url")}`
}

const unseal = (key: Key, body: Buffer, place: string): string => {
  const tagAt = body.length - TAG_BYTES
  const decipher = createDecipheriv("aes-256-gcm", key.bytes, body.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(Buffer.from(place))
  decipher.setAuthTag(body.subarray(tagAt))
  return Buffer.concat([decipher.update(body.subarray(NONCE_BYTES, tagAt)), decipher.final()]).toString("utf8")
}

const open = (keys: ReadonlyArray<Key>, sealed: string, place: string): Effect.Effect<string, Unsealable> => {
  // Written before a key was set. Whoever could put it there can write the ledger as well.
  const text = plainText(sealed)
  if (text !== undefined) return Effect.succeed(text)
  const [mark, id, body] = sealed.split(".")
  const key = keys.find((each) => each.id === id)
  if (mark === MARK && key === undefined) {
    const message =
      "the state was encrypted with another key: set SLUICE_STATE_KEY to that key, or give it as SLUICE_STATE_KEY_PREVIOUS"
    return Effect.fail(new Unsealable({ message }))
  }
  const altered = new Unsealable({ message: "an encrypted value of the state was altered or moved" })
  if (mark !== MARK || key === undefined || body === undefined) return Effect.fail(altered)
  return Effect.try({ try: () => unseal(key, Buffer.from(body, "base64url"), place), catch: () => altered })
}

const make = Effect.fnUntraced(function* (current: Redacted.Redacted, previous: Redacted.Redacted | undefined) {
  const key = yield* readKey("SLUICE_STATE_KEY", current)
  const keys = previous === undefined ? [key] : [key, yield* readKey("SLUICE_STATE_KEY_PREVIOUS", previous)]
  return Cipher.of({
    encrypts: true,
    seal: (text, place) => seal(key, text, place),
    open: (sealed, place) => open(keys, sealed, place),
    isCurrent: (sealed) => sealed.startsWith(`${MARK}.${key.id}.`),
  })
})

export const layer = (options: CipherOptions): Layer.Layer<Cipher, EnvironmentRefused> =>
  options.key === undefined ? layerPlain : Layer.effect(Cipher)(make(options.key, options.previousKey))
