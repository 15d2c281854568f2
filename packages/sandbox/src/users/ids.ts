/** User ids that can be turned back into the number of the user, so no table of a million ids is kept. */
import { mix } from "../random.ts"

const factor = 0x9e3779b1
const inverse = 0x0e8b2f51

/** One-to-one on 32 bits: neighbours get distant prefixes. */
const scatter = (seed: number, index: number): number => (Math.imul(index, factor) + mix(seed, 1)) >>> 0
const gather = (seed: number, code: number): number => Math.imul(code - mix(seed, 1), inverse) >>> 0

const hex = (value: number): string => value.toString(16).padStart(8, "0")

export type Provider = "auth0" | "google-oauth2" | "github" | "windowslive" | "sms"

/** The id below the provider's name, in that provider's own form. */
export const bareId = (seed: number, index: number, provider: Provider): string => {
  const code = scatter(seed, index)
  if (provider === "google-oauth2")
    return `1${String(code).padStart(10, "0")}${String(mix(seed, index)).padStart(10, "0")}`
  if (provider === "github") return String(1_000_000_000 + code)
  if (provider === "windowslive") return hex(code) + hex(mix(seed, index))
  return hex(code) + hex(mix(seed, index)) + hex(mix(index, seed))
}

/** The number of the user this id may belong to. The caller checks that the user really has the id. */
export const indexOfId = (seed: number, userId: string): number | undefined => {
  const [provider, bare = ""] = userId.split("|", 2)
  if (provider === "google-oauth2") return /^\d{21}$/.test(bare) ? gather(seed, Number(bare.slice(1, 11))) : undefined
  if (provider === "github") return /^\d{10}$/.test(bare) ? gather(seed, Number(bare) - 1_000_000_000) : undefined
  return /^[0-9a-f]{16,24}$/.test(bare) ? gather(seed, Number.parseInt(bare.slice(0, 8), 16)) : undefined
}
