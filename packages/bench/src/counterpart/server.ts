/**
 * The other side of the bench in a process of its own: serves pages of users and takes rows one by one or by the
 * thousand. It does as little as it can, so that what is measured is the client, and it alone counts what arrived.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import * as Schema from "effect/Schema"
import { type Arrived, Settings } from "./control.ts"
import { type Keys, userText } from "./users.ts"

const Row = Schema.Struct({ ext_id: Schema.String })
const decodeRows = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Row)))
const decodeRow = Schema.decodeUnknownSync(Schema.fromJsonString(Row))
const decodeSettings = Schema.decodeUnknownSync(Schema.fromJsonString(Settings))

/** Pages that are kept as bytes, so that making them is not measured. */
const KEPT_PAGES = 1_000

let settings: Settings = { users: 0, keys: "ordered", latency: 0, faults: 0 }
let rows = 0
let calls = 0
let refused = 0
let dice = 1
const seen = new Set<string>()
const pages = new Map<string, Buffer>()

const set = (next: Settings): void => {
  if (next.users !== settings.users || next.keys !== settings.keys) pages.clear()
  settings = next
  rows = calls = refused = 0
  dice = 1
  seen.clear()
}

/** The same requests are refused in every round. */
const strikes = (): boolean => {
  dice = (Math.imul(dice, 1_103_515_245) + 12_345) & 0x7fffffff
  return dice / 0x7fffffff < settings.faults
}

const pageText = (after: number, size: number, keys: Keys): string => {
  const length = Math.max(0, Math.min(size, settings.users - after))
  const users = Array.from({ length }, (_, place) => userText(after + place, keys))
  return `{"users":[${users.join(",")}],"total":${settings.users}}`
}

const page = (after: number, size: number): Buffer => {
  const name = `${after} ${size}`
  const known = pages.get(name)
  if (known !== undefined) return known
  const made = Buffer.from(pageText(after, size, settings.keys))
  if (pages.size < KEPT_PAGES) pages.set(name, made)
  return made
}

const take = (found: ReadonlyArray<typeof Row.Type>): Buffer => {
  rows += found.length
  for (const { ext_id } of found) seen.add(ext_id)
  return Buffer.from(`{"taken":${found.length}}`)
}

const arrived = (): Arrived => ({ rows, keys: seen.size, calls, refused })

const answer = (method: string, url: URL, body: string): Buffer => {
  switch (`${method} ${url.pathname}`) {
    case "GET /users":
      return page(Number(url.searchParams.get("after")), Number(url.searchParams.get("size")))
    case "POST /rows":
      return take(decodeRows(body))
    case "POST /row":
      return take([decodeRow(body)])
    default:
      throw new Error(`the bench has no ${method} ${url.pathname}`)
  }
}

const send = (outgoing: ServerResponse, status: number, body: Buffer): void => {
  outgoing.writeHead(status, {
    "content-type": "application/json",
    "content-length": body.length,
    "x-ratelimit-limit": "1000000",
    "x-ratelimit-remaining": "999999",
  })
  outgoing.end(body)
}

const control = (body: string): Buffer => {
  if (body !== "") set(decodeSettings(body))
  return Buffer.from(JSON.stringify(arrived()))
}

const handle = (incoming: IncomingMessage, outgoing: ServerResponse, body: string): void => {
  const url = new URL(incoming.url ?? "/", "http://127.0.0.1")
  if (url.pathname === "/control") {
    send(outgoing, 200, control(body))
    return
  }
  calls += 1
  const respond = () => {
    if (settings.faults > 0 && strikes()) {
      refused += 1
      send(outgoing, 503, Buffer.from("{}"))
    } else send(outgoing, 200, answer(incoming.method ?? "GET", url, body))
  }
  if (settings.latency === 0) respond()
  else setTimeout(respond, settings.latency)
}

const server = createServer((incoming, outgoing) => {
  const chunks: Array<Buffer> = []
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
  incoming.on("end", () => handle(incoming, outgoing, Buffer.concat(chunks).toString("utf8")))
})
server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  process.stdout.write(`${JSON.stringify({ origin: `http://127.0.0.1:${port}` })}\n`)
})

// The bench holds the other end of the input: however it ends, this process ends too.
process.stdin.once("close", () => process.exit()).resume()
