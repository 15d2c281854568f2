/** Takes the users out of a file of one JSON object a line, page by page, however large the file is. */
import { Protocol, parseJson, SourceError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { isUser, type User } from "../management.ts"

/** Characters. Auth0 holds a profile to far less than a megabyte. */
const LONGEST_LINE = 8 * 1024 * 1024

/** Characters of a page's lines, so that large users make small pages. */
const LARGEST_PAGE = 8 * 1024 * 1024

export interface Lines {
  readonly users: ReadonlyArray<User>
  /** Lines of the file so far, these included. */
  readonly read: number
}

const orUndefined = <A>(read: () => A): A | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** Plain code, for it runs once for each user. `undefined` to `feed` is the end of the file. */
const makeReader = (skip: number, perPage: number) => {
  const utf8 = new TextDecoder("utf-8", { fatal: true })
  let begun = ""
  let read = 0
  let size = 0
  let users: Array<User> = []
  let pages: Array<Lines> = []
  let fault: string | undefined

  const turn = () => {
    if (users.length > 0) pages.push({ users, read })
    users = []
    size = 0
  }

  const take = (line: string) => {
    if (line === "" || line === "\r") return
    read += 1
    if (read <= skip) return
    const user = orUndefined(() => parseJson(line))
    if (!isUser(user)) {
      fault = `line ${read} of the export is ${user === undefined ? "broken" : "no user"}`
      return
    }
    users.push(user)
    size += line.length
    if (users.length >= perPage || size >= LARGEST_PAGE) turn()
  }

  const split = (text: string) => {
    let from = 0
    for (let end = text.indexOf("\n"); end >= 0 && fault === undefined; end = text.indexOf("\n", from)) {
      take(begun + text.slice(from, end))
      begun = ""
      from = end + 1
    }
    begun += text.slice(from)
    if (begun.length > LONGEST_LINE) fault = `line ${read + 1} of the export does not end`
  }

  const feed = (chunk: Uint8Array | undefined) => {
    const text = orUndefined(() => (chunk === undefined ? utf8.decode() : utf8.decode(chunk, { stream: true })))
    if (text === undefined) fault = `the export has something after line ${read} that is no text`
    else split(text)
    if (chunk !== undefined || fault !== undefined) return
    // The last line needs no end of its own, but it must be whole.
    take(begun)
    turn()
  }

  return (chunks: ReadonlyArray<Uint8Array | undefined>): Effect.Effect<ReadonlyArray<Lines>, SourceError> => {
    for (const chunk of chunks) if (fault === undefined) feed(chunk)
    if (fault !== undefined) {
      return Effect.fail(new SourceError({ reason: new Protocol({ message: `Auth0: ${fault}.` }) }))
    }
    const ready = pages
    pages = []
    return Effect.succeed(ready)
  }
}

/** The users after the first `skip` lines. Ends without an error only after a whole last line. */
export const readLines = (
  file: Stream.Stream<Uint8Array, SourceError>,
  skip: number,
  perPage: number,
): Stream.Stream<Lines, SourceError> =>
  Stream.concat(file, Stream.succeed(undefined)).pipe(
    Stream.mapAccumArrayEffect(
      () => makeReader(skip, perPage),
      (read, chunks) => Effect.map(read(chunks), (pages) => [read, pages] as const),
    ),
  )
