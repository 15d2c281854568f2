/** What a vendor says about a failed call, in its own words, without anybody's data: of a sentence the plain words stay. */
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import type { Json } from "effect/Schema"
import { parseJson } from "./body.ts"

/** Longer is a page, and no message. */
const LONGEST = 200
const MASK = "***"

/** Addresses of mail and of the web, whole. */
const ADDRESS = /[^\s"'<>()]*@[^\s"'<>()]*|\w+:\/\/[^\s"'<>()]*/g
const QUOTED = /"[^"]*"|'[^']*'|`[^`]*`/g
const WORD = /[\p{L}\p{M}\p{N}_]+/gu
/** An id, a phone number, a token, a name of a field with digits in it: only the last is known by its name. */
const HAS_DIGITS = /\d.*\d.*\d|\p{N}{3}/u

/** What vendors talk of: also where somebody is called so, nobody is told by it. */
const SUBJECTS: ReadonlySet<string> = new Set(
  `access account address api application attribute attributes audience client contact contacts email field fields id
  invalid ip key list lists object parameter phone plan record request scope service sms token type url user users
  value`.split(/\s+/),
)
/** Within a sentence: a person's, a firm's or a thing's own name. */
const isName = (word: string, before: string): boolean => /^\p{Lu}\p{Ll}/u.test(word) && !/(^|[.:!?;])\s*$/.test(before)
/** Headers that carry nothing of anybody. */
const PLAIN_HEADERS: ReadonlySet<string> = new Set(["accept", "accept-encoding", "content-type", "user-agent"])

const textOf = (value: string | Redacted.Redacted): string =>
  typeof value === "string" ? value : Redacted.value(value)

const wordsIn = (text: string): ReadonlyArray<string> => text.toLowerCase().match(WORD) ?? []

interface Sent {
  /** Words of values: they are somebody's. */
  readonly values: ReadonlySet<string>
  /** Names of fields: they may be repeated. */
  readonly names: ReadonlySet<string>
}

const collect = (value: Json, sent: { readonly values: Set<string>; readonly names: Set<string> }): void => {
  if (typeof value !== "object" || value === null) {
    for (const word of wordsIn(String(value))) sent.values.add(word)
    return
  }
  for (const [name, item] of Object.entries(value)) {
    if (!Array.isArray(value)) sent.names.add(name.toLowerCase())
    collect(item, sent)
  }
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "))
  } catch {
    return text
  }
}

const jsonOf = (text: string): Json | undefined => {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

/** Undefined where the body cannot be looked at: then nobody knows what the vendor may quote. */
const sentBy = ({ url, urlParams, headers, body }: HttpClientRequest): Sent | undefined => {
  const sent = { values: new Set<string>(), names: new Set<string>() }
  const params = [...urlParams].map(([, value]) => textOf(value))
  const carried = Object.entries(headers).flatMap(([name, value]) => (PLAIN_HEADERS.has(name) ? [] : [textOf(value)]))
  for (const text of [decode(url), ...params, ...carried]) collect(text, sent)
  if (body._tag === "Empty") return sent
  if (body._tag !== "Uint8Array") return undefined
  const text = new TextDecoder().decode(body.body)
  collect(jsonOf(text) ?? decode(text), sent)
  return sent
}

/** Also a part of what was sent: vendors cut, and put into small letters. */
const isSent = (word: string, { values }: Sent): boolean =>
  values.has(word) || (word.length > 3 && [...values].some((value) => value.includes(word)))

export const vendorWords = (text: string, request: HttpClientRequest): string | undefined => {
  const sent = sentBy(request)
  if (sent === undefined) return undefined
  const keep = (word: string, at: number, whole: string): string => {
    const small = word.toLowerCase()
    if (sent.names.has(small) || SUBJECTS.has(small)) return word
    return isSent(small, sent) || HAS_DIGITS.test(word) || isName(word, whole.slice(0, at)) ? MASK : word
  }
  const quoted = (found: string) => (sent.names.has(found.slice(1, -1).toLowerCase()) ? found : MASK)
  const said = text
    .slice(0, LONGEST * 4)
    .replace(/[\p{C}\p{Z}]+/gu, " ")
    .trim()
    .replace(ADDRESS, MASK)
    .replace(QUOTED, quoted)
    .replace(WORD, keep)
    .replace(/\*{3}(?:[^\p{L}]*\*{3})+/gu, MASK)
  return said.length <= LONGEST ? said : `${said.slice(0, LONGEST).replace(/\S*$/, "")}…`
}
