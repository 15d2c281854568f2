/** One Auth0 user as a pure function of the seed and the user's number, in the shapes of auth0.md §1.5. */
import { fraction, mix } from "../random.ts"
import { bareId, indexOfId, type Provider } from "./ids.ts"
import { type Mess, makeMess } from "./messy.ts"
import { companies, familyNames, givenNames, plans, roles } from "./names.ts"
import { makeTimeline, type Timeline } from "./timeline.ts"

/** A user as the Management API returns it. Absent keys are absent. */
export interface User {
  readonly [key: string]: unknown
  readonly user_id: string
}

export interface UserGenerator {
  readonly timeline: Timeline
  readonly userId: (index: number) => string
  readonly user: (index: number) => User
  /** The number of the generated user with this id. */
  readonly indexOf: (userId: string) => number | undefined
  /** Numbers of the generated users that may have this e-mail. */
  readonly candidates: (email: string) => ReadonlyArray<number>
}

export interface GeneratorOptions {
  readonly seed: number
  readonly users: number
  readonly until: number
  readonly importedAtOnce: number
  readonly messy: boolean
}

/** The first users have every field, so that a preview of a few shows what a mapping does. */
const showcase = 8

const purpose = {
  provider: 21,
  given: 22,
  family: 23,
  verified: 24,
  logins: 25,
  meta: 26,
  app: 27,
  blocked: 28,
  parts: 29,
}

export const ascii = (text: string): string =>
  text
    .normalize("NFD")
    .replaceAll("ł", "l")
    .replaceAll("Ł", "L")
    .replaceAll("ø", "o")
    .replaceAll("ı", "i")
    .replace(/[^A-Za-z]/g, "")
    .toLowerCase()

const pick = <A>(words: ReadonlyArray<A>, number: number): A => {
  const word = words[number % words.length]
  if (word === undefined) throw new Error("no words")
  return word
}

const connectionOf: { readonly [provider in Provider]: string } = {
  auth0: "Username-Password-Authentication",
  "google-oauth2": "google-oauth2",
  github: "github",
  windowslive: "windowslive",
  sms: "sms",
}

/** Unassigned area code 555: valid in form, nobody's number. */
export const phoneOf = (index: number): string => `+1555${String(index).padStart(7, "0")}`

export const makeGenerator = (options: GeneratorOptions): UserGenerator => {
  const { seed, users } = options
  const timeline = makeTimeline(options)
  const mess = makeMess(options.messy, seed)
  const chance = (index: number, what: number) => fraction(seed, index, what)

  const providerOf = (index: number): Provider => {
    if (mess(index) === "phone-only") return "sms"
    const share = chance(index, purpose.provider)
    if (share < 0.7) return "auth0"
    return share < 0.85 ? "google-oauth2" : share < 0.95 ? "github" : "windowslive"
  }

  const userId = (index: number): string => {
    const provider = providerOf(index)
    return `${provider}|${bareId(seed, index, provider)}`
  }

  const emailOf = (index: number): string => {
    const given = ascii(pick(givenNames, mix(seed + purpose.given, index)))
    const family = ascii(pick(familyNames, mix(seed + purpose.family, index)))
    return `${given}.${family}${index}@example.com`
  }

  const user = (index: number): User => {
    const provider = providerOf(index)
    const given = pick(givenNames, mix(seed + purpose.given, index))
    const family = pick(familyNames, mix(seed + purpose.family, index))
    const kind = mess(index)
    const email = kind === "shared-email" ? emailOf(index - 1) : emailOf(index)
    const named = index < showcase || provider !== "auth0" || chance(index, purpose.parts) < 0.23
    const plain: { [key: string]: unknown; user_id: string } = {
      created_at: new Date(timeline.createdAt(index)).toISOString(),
      email,
      email_verified: provider !== "auth0" || chance(index, purpose.verified) < 0.75,
      ...(named ? { family_name: family } : {}),
      ...(named ? { given_name: given } : {}),
      identities: [identityOf(index, provider)],
      name: named ? `${given} ${family}` : email,
      nickname: email.slice(0, email.indexOf("@")),
      picture: `https://cdn.example.com/avatar/${mix(seed, index).toString(16)}.png`,
      updated_at: new Date(timeline.updatedAt(index)).toISOString(),
      user_id: userId(index),
      ...metadataOf(index),
      ...loginsOf(index),
    }
    return kind === undefined ? plain : soil(kind, plain, index)
  }

  const identityOf = (index: number, provider: Provider) => {
    const bare = bareId(seed, index, provider)
    return {
      connection: connectionOf[provider],
      // GitHub's ids are numbers on the wire.
      user_id: provider === "github" ? Number(bare) : bare,
      provider,
      isSocial: provider !== "auth0" && provider !== "sms",
    }
  }

  const metadataOf = (index: number) => {
    const share = chance(index, purpose.meta)
    const blocked = chance(index, purpose.blocked)
    const user = {
      ...(share < 0.18 || index < showcase ? { company: pick(companies, mix(seed + 30, index)) } : {}),
      ...(share > 0.08 || index < showcase ? { phone: phoneOf(index) } : {}),
      ...(share < 0.03 ? { locale: "en" } : {}),
    }
    const app = { plan: pick(plans, mix(seed + 31, index)), role: pick(roles, mix(seed + 32, index)) }
    return {
      ...(share < 0.22 || index < showcase ? { user_metadata: user } : {}),
      ...(chance(index, purpose.app) < 0.2 || index < showcase ? { app_metadata: app } : {}),
      ...(index >= showcase && blocked < 0.13 ? { blocked: blocked < 0.03 } : {}),
    }
  }

  const loginsOf = (index: number) => {
    const count = Math.floor(chance(index, purpose.logins) ** 3 * 400)
    if (count === 0 && index >= showcase) return {}
    return {
      last_ip: "203.0.113.7",
      last_login: new Date(timeline.updatedAt(index)).toISOString(),
      logins_count: Math.max(1, count),
    }
  }

  const soil = (kind: Mess, plain: { [key: string]: unknown; user_id: string }, index: number): User => {
    if (kind === "shared-email") return plain
    if (kind === "phone-only") {
      const { email: _, email_verified: __, ...rest } = plain
      return { ...rest, name: phoneOf(index), nickname: "", phone_number: phoneOf(index), phone_verified: true }
    }
    return { ...plain, ...kind.changes }
  }

  const indexOf = (id: string): number | undefined => {
    const index = indexOfId(seed, id)
    return index !== undefined && index < users && userId(index) === id ? index : undefined
  }

  const candidates = (email: string): ReadonlyArray<number> => {
    const number = /(\d+)@example\.com$/i.exec(email)?.[1]
    const index = number === undefined ? users : Number(number)
    return [index, index + 1].filter((each) => each < users)
  }

  return { timeline, userId, user, indexOf, candidates }
}
