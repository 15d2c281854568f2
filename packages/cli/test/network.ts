/** A network as companies have it, on loopback: a private authority, a vendor behind TLS, a proxy that asks who it is. */
import * as http from "node:http"
import * as https from "node:https"
import * as net from "node:net"
import { generate } from "selfsigned"

export interface Pair {
  readonly key: string
  readonly cert: string
}

const made = async (name: string, extra: Parameters<typeof generate>[1]): Promise<Pair> => {
  const attributes = [{ name: "commonName", value: name }]
  const { private: key, cert } = await generate(attributes, { keyType: "ec", algorithm: "sha256", ...extra })
  return { key, cert }
}

export const makeAuthority = (name: string): Promise<Pair> =>
  made(name, {
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  })

/** For this host name. */
export const certify = (ca: Pair, host: string, notAfterDate?: Date): Promise<Pair> =>
  made(host, {
    ca,
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: host }] }],
    ...(notAfterDate === undefined ? {} : { notAfterDate, notBeforeDate: new Date(notAfterDate.getTime() - 1000) }),
  })

const listening = <S extends net.Server>(server: S): Promise<S & AsyncDisposable & { readonly port: number }> =>
  new Promise((resolve) => {
    const sockets = new Set<net.Socket>()
    server.on("connection", (socket: net.Socket) => {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => sockets.delete(socket))
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const end = () => {
        for (const socket of sockets) socket.destroy()
        return new Promise<void>((ended) => server.close(() => ended()))
      }
      resolve(Object.assign(server, { port, [Symbol.asyncDispose]: end }))
    })
  })

/** Hands every request on to a plain http address, and keeps what it was sent of headers. */
export const serveTls = async (pair: Pair, origin: string) => {
  const seen: Array<http.IncomingHttpHeaders> = []
  const server = await listening(
    https.createServer(pair, (request, answer) => {
      seen.push(request.headers)
      const { method, headers } = request
      const onward = http.request(new URL(request.url ?? "/", origin), { method, headers }, (answered) => {
        answer.writeHead(answered.statusCode ?? 502, answered.headers)
        answered.pipe(answer)
      })
      request.pipe(onward)
    }),
  )
  return Object.assign(server, { seen })
}

export interface ProxyOptions {
  /** As in `user:password`; without it everyone may pass. */
  readonly user?: string
  /** Where each tunnel leads, whatever host was asked for. */
  readonly port?: number
  /** Answers this instead of opening a tunnel. */
  readonly status?: number
}

/** Opens tunnels by CONNECT, as companies' proxies do, and keeps which were asked for. */
export const serveProxy = async ({ user, port, status }: ProxyOptions) => {
  const asked: Array<string> = []
  const wanted = user === undefined ? undefined : `Basic ${Buffer.from(user).toString("base64")}`
  const proxy = http.createServer().on("connect", (request, client: net.Socket) => {
    asked.push(request.url ?? "")
    const denied = wanted !== undefined && request.headers["proxy-authorization"] !== wanted
    const answer = denied ? 407 : status
    if (answer !== undefined || port === undefined) {
      client.end(`HTTP/1.1 ${answer ?? 502} No\r\nProxy-Authenticate: Basic realm="test"\r\n\r\n`)
      return
    }
    const upstream = net.connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connected\r\n\r\n")
      upstream.pipe(client).pipe(upstream)
    })
    upstream.on("error", () => client.destroy())
    client.on("close", () => upstream.destroy())
  })
  return Object.assign(await listening(proxy), { asked })
}
