/** The sandbox behind a socket of this machine, with exact control over what goes wrong on the wire. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { pipeline, Readable } from "node:stream"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import type { Delivery, SandboxRequest } from "./exchange.ts"
import { respond } from "./origin.ts"
import type { Sandbox } from "./sandbox.ts"

export interface Listening {
  readonly port: number
  /** `http://127.0.0.1:<port>`: what `environment` takes. */
  readonly origin: string
  /** Cuts what is open. The scope's end does the same. */
  readonly close: Effect.Effect<void>
}

/** The port is taken or may not be opened. */
export class ListenError extends Data.TaggedError("ListenError")<{ readonly port: number; readonly cause: unknown }> {
  override get message() {
    return `the sandbox cannot listen on port ${this.port}`
  }
}

/** Requests larger than this are cut: a Bulk job of Salesforce takes 150 MB, nothing else more than 10. */
const maxBodyBytes = 160 * 1024 * 1024

/** Above what any vendor takes: the sandbox itself says that an address is too long. */
const maxHeaderSize = 128 * 1024

/** Listens on 127.0.0.1 only. Port 0 takes a free one. */
export const serve = (sandbox: Sandbox, port: number): Effect.Effect<Listening, ListenError, Scope> =>
  Effect.acquireRelease(listen(sandbox, port), (listening) => listening.close)

const listen = (sandbox: Sandbox, port: number): Effect.Effect<Listening, ListenError> =>
  Effect.callback((resume) => {
    const server = createServer({ maxHeaderSize }, (incoming, outgoing) => receive(sandbox, incoming, outgoing))
    server.once("error", (cause) => resume(Effect.fail(new ListenError({ port, cause }))))
    server.listen(port, "127.0.0.1", () => {
      const address = server.address()
      const taken = typeof address === "object" && address !== null ? address.port : port
      resume(Effect.succeed({ port: taken, origin: `http://127.0.0.1:${taken}`, close: close(server) }))
    })
  })

const close = (server: Server): Effect.Effect<void> =>
  Effect.callback((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })

const receive = (sandbox: Sandbox, incoming: IncomingMessage, outgoing: ServerResponse): void => {
  const chunks: Array<Buffer> = []
  let bytes = 0
  incoming.on("data", (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > maxBodyBytes) incoming.socket.destroy()
    else chunks.push(chunk)
  })
  incoming.on("end", () => {
    const packed = incoming.headers["content-encoding"] !== undefined
    const request = requestOf(incoming, Buffer.concat(chunks).toString(packed ? "latin1" : "utf8"))
    const delivery = respond(sandbox, "", request)
    if (delivery.delayMillis === 0) send(delivery, outgoing)
    else setTimeout(() => send(delivery, outgoing), delivery.delayMillis).unref()
  })
}

const requestOf = (incoming: IncomingMessage, body: string): SandboxRequest => {
  const target = incoming.url ?? "/"
  const mark = target.indexOf("?")
  const headers: { [name: string]: string } = Object.create(null)
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value
  }
  return {
    method: incoming.method ?? "GET",
    base: `http://${headers.host ?? "127.0.0.1"}`,
    path: mark < 0 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)),
    headers,
    body,
    targetBytes: target.length,
  }
}

const send = ({ answer, cutAfterBytes, trickleMillis }: Delivery, outgoing: ServerResponse): void => {
  if (cutAfterBytes === 0) {
    outgoing.socket?.destroy()
    return
  }
  if (answer.chunks !== undefined) {
    outgoing.writeHead(answer.status, answer.headers)
    pipeline(Readable.from(paced(answer.chunks, cutAfterBytes, trickleMillis)), outgoing, () => {})
    return
  }
  const body = Buffer.from(answer.body, "utf8")
  outgoing.writeHead(
    answer.status,
    body.length === 0 ? answer.headers : { ...answer.headers, "content-length": body.length },
  )
  if (cutAfterBytes !== undefined) {
    // Promised in full by content-length, cut on the way.
    outgoing.write(body.subarray(0, Math.min(cutAfterBytes, body.length - 1)), () => outgoing.socket?.destroy())
  } else if (trickleMillis > 0) trickle(body, trickleMillis, outgoing)
  else outgoing.end(body)
}

/** A file, made no faster than the client takes it. Failing cuts the connection. */
async function* paced(chunks: Iterable<Uint8Array>, cutAfterBytes: number | undefined, trickleMillis: number) {
  let left = cutAfterBytes ?? Number.POSITIVE_INFINITY
  for (const chunk of chunks) {
    yield chunk.length > left ? chunk.subarray(0, left) : chunk
    left -= chunk.length
    if (left <= 0) throw new Error("cut")
    if (trickleMillis > 0) await new Promise<void>((resolve) => void setTimeout(resolve, trickleMillis / 10).unref())
  }
}

/** A byte at once so that the client sees the body begin, the rest in ten pieces. */
const trickle = (body: Buffer, millis: number, outgoing: ServerResponse): void => {
  const piece = Math.max(1, Math.ceil(body.length / 10))
  let sent = 1
  outgoing.write(body.subarray(0, sent))
  const timer = setInterval(() => {
    outgoing.write(body.subarray(sent, sent + piece))
    sent += piece
    if (sent < body.length) return
    clearInterval(timer)
    outgoing.end()
  }, millis / 10)
  timer.unref()
  outgoing.on("close", () => clearInterval(timer))
}
