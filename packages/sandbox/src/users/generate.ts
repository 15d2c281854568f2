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

/** A user in the making. */
type Draft = { [key: string]: unknown; user_id: string }

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

const ascii = (text: string): string =>
  text
    .normalize("NFD")
    .replaceAll("ł", "l")
    .replaceAll("Ł", "L")
    .replaceAll("ø", "o")
    .replaceAll("ı", "i")
    .replace(/[^A-Za-z]/g, "")
    .toLowerCase()

/** Folded once: a million users are made of a hundred words. */
const givenMailNames = givenNames.map(ascii)
const familyMailNames = familyNames.map(ascii)

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
    const given = pick(givenMailNames, mix(seed + purpose.given, index))
    const family = pick(familyMailNames, mix(seed + purpose.family, index))
    return `${given}.${family}${index}@example.com`
  }

  /** Assigned one by one, without spreads: filters over a million users make each of them. */
  const user = (index: number): User => {
    const provider = providerOf(index)
    const kind = mess(index)
    const email = emailOf(kind === "shared-email" ? index - 1 : index)
    const updated = new Date(timeline.updatedAt(index)).toISOString()
    const made: Draft = {
      created_at: new Date(timeline.createdAt(index)).toISOString(),
      email,
      email_verified: provider !== "auth0" || chance(index, purpose.verified) < 0.75,
      identities: [identityOf(index, provider)],
      name: email,
      nickname: email.slice(0, email.indexOf("@")),
      picture: `https://cdn.example.com/avatar/${mix(seed, index).toString(16)}.png`,
      updated_at: updated,
      user_id: userId(index),
    }
    if (index < showcase || provider !== "auth0" || chance(index, purpose.parts) < 0.23) addName(made, index)
    addMetadata(made, index)
    addLogins(made, index, updated)
    return kind === undefined ? made : soil(kind, made, index)
  }

  const addName = (made: Draft, index: number) => {
    const given = pick(givenNames, mix(seed + purpose.given, index))
    const family = pick(familyNames, mix(seed + purpose.family, index))
    made.family_name = family
    made.given_name = given
    made.name = `${given} ${family}`
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

  const addMetadata = (made: Draft, index: number) => {
    const shown = index < showcase
    const share = chance(index, purpose.meta)
    if (shown || share < 0.22) {
      const metadata: { company?: string; phone?: string; locale?: string } = {}
      if (shown || share < 0.18) metadata.company = pick(companies, mix(seed + 30, index))
      if (shown || share > 0.08) metadata.phone = phoneOf(index)
      if (share < 0.03) metadata.locale = "en"
      made.user_metadata = metadata
    }
    if (shown || chance(index, purpose.app) < 0.2) {
      made.app_metadata = { plan: pick(plans, mix(seed + 31, index)), role: pick(roles, mix(seed + 32, index)) }
    }
    const blocked = chance(index, purpose.blocked)
    if (!shown && blocked < 0.13) made.blocked = blocked < 0.03
  }

  /** Most of the time `updated_at` is the last login. */
  const addLogins = (made: Draft, index: number, updated: string) => {
    const count = Math.floor(chance(index, purpose.logins) ** 3 * 400)
    if (count === 0 && index >= showcase) return
    made.last_ip = "203.0.113.7"
    made.last_login = updated
    made.logins_count = Math.max(1, count)
  }

  const soil = (kind: Mess, plain: Draft, index: number): User => {
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
