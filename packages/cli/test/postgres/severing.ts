/** A way to the Postgres server that breaks where a test wants it to. */
import { once } from "node:events"
import * as net from "node:net"

/** `before`: the COMMIT never arrives. `after`: it does, and its answer is lost. */
export type Cut = "before" | "after"

export interface Severing {
  readonly port: number
  /** Breaks the connection at the n-th COMMIT from now on. */
  readonly cutAt: (cut: Cut, commit: number) => void
  /** Of all connections, since the start. */
  readonly commits: () => number
  /** How often it broke one. */
  readonly cuts: () => number
  /** Breaks all connections, and refuses new ones until `heal`. */
  readonly sever: () => void
  readonly heal: () => void
  readonly close: () => Promise<void>
}

const COMMIT = Buffer.from("COMMIT\0")

export const makeSevering = async (to: number): Promise<Severing> => {
  const sockets = new Set<net.Socket>()
  let wanted: { readonly cut: Cut; left: number } | undefined
  let commits = 0
  let cuts = 0
  let severed = false

  const server = net.createServer((client) => {
    if (severed) return client.destroy()
    const upstream = net.connect(to, "127.0.0.1")
    let answerIsLost = false
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on("error", end).on("close", end)
      socket.on("close", () => sockets.delete(socket))
    }
    client.on("data", (bytes) => {
      if (bytes.includes(COMMIT)) {
        commits += 1
        if (wanted !== undefined) wanted.left -= 1
        if (wanted?.left === 0) {
          const { cut } = wanted
          wanted = undefined
          cuts += 1
          if (cut === "before") return end()
          answerIsLost = true
        }
      }
      upstream.write(bytes)
    })
    upstream.on("data", (bytes) => (answerIsLost ? end() : client.write(bytes)))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  const endAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    cutAt: (cut, commit) => {
      wanted = { cut, left: commit }
    },
    commits: () => commits,
    cuts: () => cuts,
    sever: () => {
      severed = true
      endAll()
    },
    heal: () => {
      severed = false
    },
    close: async () => {
      endAll()
      server.close()
      await once(server, "close")
    },
  }
}
