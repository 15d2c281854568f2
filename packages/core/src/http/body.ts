/** Reads an answer's body under a bound and parses it, so that a cut or oversized body is a value and not a surprise. */
import * as Effect from "effect/Effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import type { Json } from "effect/Schema"
import * as Stream from "effect/Stream"

/** 64 MiB: far above any page, far below memory. */
export const largestBody = 64 * 1024 * 1024

export type Parsed = { readonly _tag: "Body"; readonly body: Json | undefined } | { readonly _tag: "NotJson" }

interface TooLarge {
  readonly _tag: "TooLarge"
}

/** Reads all of the body; failing means that it broke off or is larger than `maxBytes`. */
export const readBytes = (
  response: HttpClientResponse,
  maxBytes: number,
): Effect.Effect<Uint8Array, HttpClientError | TooLarge> =>
  Effect.suspend(() => {
    let chunks: Array<Uint8Array> = []
    let size = 0
    return Stream.runForEachArray(response.stream, (arrived) => {
      for (const chunk of arrived) {
        size += chunk.byteLength
        if (size > maxBytes) return Effect.fail<TooLarge>({ _tag: "TooLarge" })
        chunks.push(chunk)
      }
      return Effect.void
    }).pipe(
      // How fetch says that there is no body at all: 204, 304, most redirects.
      Effect.catchIf(
        (error) => error._tag === "HttpClientError" && error.reason._tag === "EmptyBodyError",
        () => Effect.void,
      ),
      Effect.map(() => {
        const all = joined(chunks, size)
        // What listens to the socket outlives the answer: apart.ts.
        chunks = []
        return all
      }),
    )
  })

const joined = (chunks: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const only = chunks[0]
  if (chunks.length === 1 && only !== undefined) return only
  const all = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.byteLength
  }
  return all
}

/** A number with so many digits may be an integer that `JSON.parse` rounds. Text that looks like one only costs time. */
const longest = 15

const [zero, nine, space, minus] = [48, 57, 32, 45]
const isDigit = (code: number): boolean => code >= zero && code <= nine
/** A colon, bracket or comma. */
const opensValue = (code: number): boolean => code === 58 || code === 91 || code === 44

/** Whether a value may be such an integer. Only every sixteenth character is looked at: a run of digits so long holds one. */
export const hasLongInteger = (text: string): boolean => {
  for (let at = longest; at < text.length; at += longest + 1) {
    if (!isDigit(text.charCodeAt(at))) continue
    let start = at
    while (start > 0 && isDigit(text.charCodeAt(start - 1))) start -= 1
    let end = at + 1
    while (end < text.length && isDigit(text.charCodeAt(end))) end += 1
    if (end - start > longest && isValue(text, start)) return true
    at = Math.max(at, end - longest - 1)
  }
  return false
}

const isValue = (text: string, start: number): boolean => {
  let before = text.charCodeAt(start - 1) === minus ? start - 2 : start - 1
  while (before > 0 && text.charCodeAt(before) <= space) before -= 1
  return opensValue(text.charCodeAt(before))
}

/** Integers that a JavaScript number cannot hold keep their digits, as text: a rounded id is another id. */
const exactIntegers = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "")
    ? context?.source
    : value

/** As `JSON.parse`, which throws, but for long integers. */
export const parseJson = (text: string): Json =>
  hasLongInteger(text) ? JSON.parse(text, exactIntegers) : JSON.parse(text)

const utf8 = new TextDecoder("utf-8", { fatal: true })

export const parse = (bytes: Uint8Array): Parsed => {
  if (bytes.byteLength === 0) return { _tag: "Body", body: undefined }
  try {
    return { _tag: "Body", body: parseJson(utf8.decode(bytes)) }
  } catch {
    return { _tag: "NotJson" }
  }
}
