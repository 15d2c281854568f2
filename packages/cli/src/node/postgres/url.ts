/** What a `postgres://` URL says: the server, its schema for the state, TLS. Its password is in no text made here. */
import * as fs from "node:fs"
import * as os from "node:os"
import type { ConnectionOptions } from "node:tls"
import * as Effect from "effect/Effect"
import { authorities } from "../authorities.ts"
import type { EnvironmentRefused, Variables } from "../environment.ts"
import { StateUnusable } from "../stateFile.ts"

export interface PostgresServer {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  /** Asked for each connection: of the URL, PGPASSWORD or the password file. */
  readonly password: () => Promise<string | undefined>
  readonly ssl: ConnectionOptions | false
  /** Where the tables are. */
  readonly schema: string
  readonly connectTimeoutMillis: number
  /** For people: without password and options. */
  readonly name: string
}

/** As libpq names them; without the two that fall back to plain text in silence, `allow` and `prefer`. */
const MODES = ["disable", "require", "verify-ca", "verify-full"] as const
type Mode = (typeof MODES)[number]

const OPTIONS = ["schema", "sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout"]

export const isPostgresUrl = (state: string): boolean => /^postgres(ql)?:\/\//i.test(state)

const isHere = (host: string): boolean => host.startsWith("/") || /^(localhost|127(\.\d+){3}|::1)$/.test(host)

const attempt = <A>(run: () => A): A | undefined => {
  try {
    return run()
  } catch {
    return undefined
  }
}

/** Reads the URL; what it leaves out comes from PGHOST and the like, as for `psql`. */
export const readPostgresUrl = (
  text: string,
  env: Variables,
): Effect.Effect<PostgresServer, StateUnusable | EnvironmentRefused> =>
  Effect.suspend(() => {
    const url = attempt(() => new URL(text))
    if (url === undefined) return refuse("postgres://…", "the URL is not one", SHAPE)
    if (attempt(() => decodeURIComponent(text)) === undefined) {
      return refuse("postgres://…", "a % in its URL is no escape", "Write a % of a name or password as %25.")
    }
    const part = (value: string): string | undefined => (value === "" ? undefined : decodeURIComponent(value))
    const host = part(url.hostname.replace(/^\[(.*)\]$/, "$1")) ?? env.PGHOST ?? "localhost"
    const port = Number(part(url.port) ?? env.PGPORT ?? 5432)
    const user = part(url.username) ?? env.PGUSER ?? os.userInfo().username
    const database = part(url.pathname.slice(1)) ?? env.PGDATABASE ?? user
    const option = (name: string): string | undefined => url.searchParams.get(name) ?? undefined
    const schema = option("schema") ?? "sluice"
    const name = `postgres://${user}@${host}:${port}/${database} (schema ${schema})`

    const unknown = [...url.searchParams.keys()].find((key) => !OPTIONS.includes(key))
    if (unknown !== undefined)
      return refuse(name, `its URL has the unknown option ${unknown}`, `It may have ${OPTIONS.join(", ")}.`)
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(schema) || /^pg_/i.test(schema)) {
      return refuse(name, "the name of its schema is not one", "Use letters, digits and underscores, at most 63.")
    }
    const timeout = Number(option("connect_timeout") ?? env.PGCONNECT_TIMEOUT ?? 10)
    if (!(timeout > 0 && timeout <= 300))
      return refuse(name, "connect_timeout is no number of seconds up to 300", SHAPE)
    const mode = option("sslmode") ?? env.PGSSLMODE ?? (isHere(host) ? "disable" : "verify-full")
    const known = MODES.find((each) => each === mode)
    if (known === undefined) return refuse(name, `it does not take sslmode ${mode}`, `Take ${MODES.join(", ")}.`)
    const files: TlsFiles = {
      ca: option("sslrootcert") ?? env.PGSSLROOTCERT,
      cert: option("sslcert") ?? env.PGSSLCERT,
      key: option("sslkey") ?? env.PGSSLKEY,
    }
    const ssl = tlsOf(name, known, files, env)
    const given = part(url.password) ?? env.PGPASSWORD
    const password = async (): Promise<string | undefined> => given ?? fromFile({ host, port, user, database })
    const server = { host, port, user, database, password, schema, connectTimeoutMillis: timeout * 1000, name }
    return Effect.map(ssl, (each): PostgresServer => ({ ...server, ssl: host.startsWith("/") ? false : each }))
  })

const SHAPE = "It is written postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full, with the password in PGPASSWORD."

const refuse = (name: string, problem: string, repair: string): Effect.Effect<never, StateUnusable> =>
  Effect.fail(new StateUnusable({ file: name, problem, repair }))

/** PGPASSFILE of the process, else ~/.pgpass. */
const fromFile = async (
  server: Pick<PostgresServer, "host" | "port" | "user" | "database">,
): Promise<string | undefined> => {
  const { default: pgpass } = await import("pgpass")
  return new Promise((resolve) => pgpass(server, resolve))
}

interface TlsFiles {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

const tlsOf = (
  name: string,
  mode: Mode,
  { ca, cert, key }: TlsFiles,
  env: Variables,
): Effect.Effect<ConnectionOptions | false, StateUnusable | EnvironmentRefused> =>
  Effect.gen(function* () {
    if (mode === "disable") return false
    const read = (file: string | undefined) => readPem(name, file)
    // `system`: the authorities that Node knows. With a root certificate, libpq takes `require` for `verify-ca`.
    const root = yield* read(ca === "system" ? undefined : ca)
    const isPlain = root === undefined && cert === undefined
    const trust = isPlain
      ? { secureContext: yield* authorities(env) }
      : { ca: root, cert: yield* read(cert), key: yield* read(key) }
    if (mode === "require" && root === undefined) return { ...trust, rejectUnauthorized: false }
    return mode === "verify-full" ? trust : { ...trust, checkServerIdentity: () => undefined }
  })

const readPem = (name: string, file: string | undefined): Effect.Effect<string | undefined, StateUnusable> => {
  if (file === undefined) return Effect.undefined
  return Effect.try({
    try: () => fs.readFileSync(file, "utf8"),
    catch: () =>
      new StateUnusable({
        file: name,
        problem: `its certificate or key ${file} cannot be read`,
        repair: "Give a PEM file.",
      }),
  })
}
