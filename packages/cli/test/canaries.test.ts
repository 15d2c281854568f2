/** I6, S01, S16: secrets are nowhere, personal data only in the destination, and no value can play the terminal. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { credentials, type Delivery, type Handler, lists as initial, type Sandbox } from "@sluice/sandbox"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Bench, bench, config, type Finished, sluice, start } from "./process.ts"

const PEOPLE = 60
/** Letters only, so that no encoding of a URL, of JSON or of a form hides it. */
const word = (what: string, number: number): string =>
  `${what}${String(number)
    .padStart(3, "0")
    .replace(/\d/g, (digit) => "abcdefghij"[Number(digit)] ?? "")}qz`
const phone = (number: number): string => `4915${String(770_000_000 + number * 7)}`
const whats = ["given", "family", "nick", "mail", "firm", "plan", "role", "face"] as const
const personal = Array.from({ length: PEOPLE }, (_, n) => [phone(n), ...whats.map((what) => word(what, n))]).flat()

const WRONG_SECRET = "wrong-canary-client-secret-0815"
const WRONG_KEY = "xkeysib-wrong-canary-4711"
const STATE_KEY = Buffer.alloc(32, "canary-key-").toString("base64")

/** ESC sequences, line breaks, a forged log line and a change of direction. */
const nasty = '\u001b[2J\u001b]0;owned\u0007\r\n{"level":"ERROR","message":"forged-line"}\u202e'

/** Tokens given out, told from everything else by their signature. */
const bearers = new Set<string>()
/** What a vendor does once to a request. */
let mischief: ((request: Parameters<Handler>[0]) => Delivery | undefined) | undefined

const answer = (status: number, body: unknown): Delivery => ({
  answer: { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
  delayMillis: 0,
  trickleMillis: 0,
  cutAfterBytes: undefined,
})

const around = (sandbox: Sandbox): Sandbox => {
  const wrap =
    (handler: Handler): Handler =>
    (request) => {
      const signature = request.headers.authorization?.split(".")[2]
      if (signature !== undefined) bearers.add(signature.slice(0, 40))
      return mischief?.(request) ?? handler(request)
    }
  return { ...sandbox, auth0: wrap(sandbox.auth0), brevo: wrap(sandbox.brevo) }
}

const populate = ({ sandbox: { control } }: Bench) => {
  for (let n = 0; n < PEOPLE; n++) {
    const strange = n % 6 === 5
    const id = n === 5 ? `auth0|${"0".repeat(20)}\u001b[31m\nx` : control.userId(n)
    control.upsertUser({
      user_id: id,
      email: `${word("mail", n)}@example.com`,
      given_name: `${strange ? nasty : ""}${word("given", n)}${strange ? nasty : ""}`,
      family_name: `${word("family", n)}${strange ? "\u0000" : ""}`,
      nickname: word("nick", n),
      picture: `https://cdn.example.com/${word("face", n)}.png`,
      // One in ten makes no row: its company is an object.
      user_metadata: { phone: `+${phone(n)}`, company: n % 10 === 9 ? { name: word("firm", n) } : word("firm", n) },
      app_metadata: { plan: word("plan", n), role: word("role", n) },
    })
  }
}

const produced: Array<{ readonly what: string; readonly text: string; readonly isText: boolean }> = []

const keep = (what: string, { stdout, stderr }: Finished): void => {
  produced.push({ what: `${what}: stdout`, text: stdout, isText: !what.includes("--json") })
  produced.push({ what: `${what}: stderr`, text: stderr, isText: true })
}

const filesOf = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

/** Every byte of every file, the write-ahead log included, as text of one byte each. */
const keepFiles = (when: string, folder: string): void => {
  for (const file of filesOf(folder)) {
    produced.push({ what: `${when}: ${file.slice(folder.length)}`, text: readFileSync(file, "latin1"), isText: false })
  }
}

const found = (canaries: Iterable<string>, among = produced): ReadonlyArray<string> =>
  [...canaries].flatMap((canary) =>
    among.filter(({ text }) => text.includes(canary)).map(({ what }) => `${canary} in ${what}`),
  )

/** A secret as it is, and as a header, a URL or a script may carry it. */
const forms = (secret: string): ReadonlyArray<string> => [
  secret,
  encodeURIComponent(secret),
  Buffer.from(secret).toString("base64"),
  Buffer.from(secret).toString("hex"),
]

let it1: Bench
let folder: string

const command = async (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = it1.env) => {
  const finished = await sluice([...args, "--state", it1.state], { ...env, SLUICE_STATE_KEY: STATE_KEY })
  keep(args.join(" "), finished)
  return finished
}

/**
 * The vendors quote what they were sent, as vendors do: every so manieth request from now on, so many times. Not the
 * name of a field: a 400 of Brevo's that names `listIds` ends a run, and whether one met a write would be chance.
 */
const quoting = (path: string, status: number, every: number, times: number): NonNullable<typeof mischief> => {
  let seen = 0
  return (request) => {
    if (!request.path.startsWith(path) || times <= 0) return undefined
    seen += 1
    if (seen % every !== 0) return undefined
    times -= 1
    quoted += 1
    const sent = `${request.body} ${request.query}`.replaceAll(/(unlink)?listIds/gi, "…")
    const message = `${request.headers.authorization ?? request.headers["api-key"]} sent ${sent}`
    return answer(status, { code: "invalid_parameter", message, error: message, error_description: message })
  }
}
let quoted = 0

/** Brevo is written to only where it holds something else. */
const rename = (ending: string) => {
  const { control } = it1.sandbox
  for (let n = 0; n < PEOPLE; n++) {
    control.upsertUser({ user_id: control.userId(n), nickname: `${word("nick", n)}${ending}` })
  }
}

const killedWhile = async (contacts: number) => {
  const { control } = it1.sandbox
  rename("-2")
  const args = ["run", config, "--full-refresh", "--json", "--state", it1.state]
  const running = start(args, { ...it1.env, SLUICE_STATE_KEY: STATE_KEY })
  const from = control.journal().length
  while (control.journal().length < from + contacts) await new Promise((resolve) => setTimeout(resolve, 2))
  running.child.kill("SIGKILL")
  keep("killed run --json", await running.done)
}

beforeAll(async () => {
  it1 = await bench({ users: PEOPLE, tokenSeconds: 86_400 }, around)
  folder = it1.folder
  populate(it1)
  const { control } = it1.sandbox
  const wrong = { ...it1.env, AUTH0_CLIENT_SECRET: WRONG_SECRET, BREVO_API_KEY: WRONG_KEY }

  await command(["check", config])
  await command(["check", config, "--connect"])
  await command(["check", config, "--connect", "--json"])
  await command(["check", config, "--connect"], wrong)
  await command(["preview", config, "--limit", "60"])
  await command(["preview", config, "--limit", "60", "--json"])
  await command(["preview", config], wrong)
  await command(["check", config, "--connect", "--debug"], wrong)
  await command(["run", config], wrong)
  await command(["run", config, "--json"], { ...it1.env, BREVO_API_KEY: WRONG_KEY })

  // A token that is refused, an answer that is no JSON, one that is cut, and a 500 that quotes the request.
  control.faults.add({ vendor: "auth0", path: "/api/v2/users", times: 1, skip: 1, fault: { kind: "malformed" } })
  control.faults.add({
    vendor: "auth0",
    path: "/api/v2/users",
    times: 1,
    fault: { kind: "cut", when: "after", bytes: 900 },
  })
  control.faults.add({ vendor: "brevo", path: "/contacts", times: 2, skip: 9, fault: { kind: "truncated" } })
  control.expireTokens()
  mischief = quoting("/contacts", 500, 17, 2)
  await command(["run", config, "--debug"])
  mischief = quoting("/contacts", 400, 9, 4)
  await command(["run", config, "--full-refresh", "--force", "--json", "--debug"])
  mischief = quoting("/api/v2/users", 400, 1, 1)
  await command(["run", config, "--full-refresh"])
  mischief = quoting("/oauth/token", 403, 1, 1)
  await command(["run", config, "--json"])
  mischief = quoting("/contacts", 401, 20, 1)
  await command(["run", config, "--full-refresh", "--force"])
  mischief = undefined

  // No answer at all, until somebody ends it.
  rename("-1")
  control.faults.add({ vendor: "brevo", access: "write", times: 20, fault: { kind: "stall", millis: 600_000 } })
  const hung = start(["run", config, "--full-refresh", "--grace", "0", "--state", it1.state], {
    ...it1.env,
    SLUICE_STATE_KEY: STATE_KEY,
  })
  const hits = () => control.faults.fired().at(-1)?.hits ?? 0
  while (hits() === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  hung.child.kill("SIGTERM")
  keep("hung run", await hung.done)
  control.faults.clear()

  await killedWhile(25)
  keepFiles("after kill -9", folder)
  await command(["run", config, "--full-refresh", "--json"])
  await command(["dead-letters", "list"])
  const { stdout } = await command(["dead-letters", "list", "--json"])
  const numbers: ReadonlyArray<{ readonly number: number }> = JSON.parse(stdout)
  assert.isAbove(numbers.length, 5)
  const [first] = numbers
  await command(["dead-letters", "show", String(first?.number)])
  await command(["dead-letters", "show", String(first?.number), "--json"])
  await command(["dead-letters", "retry", config])
  const listed = await command(["runs", "list", "--json"])
  const runs: ReadonlyArray<{ readonly run_id: string }> = JSON.parse(listed.stdout)
  await command(["runs", "list"])
  assert.strictEqual((await command(["runs", "show", String(runs[0]?.run_id)])).code, 0)
  await command(["state", "show"])
  await command(["state", "show", "--json"])
  await command(["dead-letters", "drop", "--pipeline", "auth0-to-brevo.users", "--all"])
  await command(["state", "reset", "auth0-to-brevo.users", "--yes"])
  keepFiles("at the end", folder)
}, 180_000)
afterAll(() => it1.close())

describe("whatever goes wrong", () => {
  it("the canaries can be found at all: they are in Brevo, and revealed where that was asked for", async () => {
    const contacts = JSON.stringify(it1.sandbox.control.contacts())
    const present = personal.filter((canary) => contacts.includes(canary))
    assert.isAbove(present.length, 8 * 50)
    const { stdout } = await sluice(["preview", config, "--limit", "60", "--reveal", "--state", it1.state], {
      ...it1.env,
      SLUICE_STATE_KEY: STATE_KEY,
    })
    assert.isAbove(found(personal, [{ what: "preview", text: stdout, isText: true }]).length, 50)
    assert.isAbove(bearers.size, 1)
    assert.strictEqual(quoted, 9)
    assert.isTrue(
      produced.some(({ text, isText }) => isText && text.includes("\\u001b")),
      "an escape was there to be shown",
    )
    assert.isTrue(
      produced.some(({ what }) => what.includes("-wal")),
      "a write-ahead log was there to search",
    )
    const calls = produced.flatMap(({ text }) => text.match(/^debug .*contacts\/\*\*\*.*$/gm) ?? [])
    assert.isAbove(calls.length, 5, "--debug had calls about people to show")
  })

  it("I6, S01: client secret, API key, bearer tokens and the state's key are in no output and no file", () => {
    const { clientSecret, apiKey } = credentials
    const secrets = [clientSecret, apiKey, WRONG_SECRET, WRONG_KEY, STATE_KEY, ...bearers].flatMap(forms)
    assert.deepStrictEqual(found(secrets), [])
  })

  it("I6: personal data is in no output and, with SLUICE_STATE_KEY, in no byte of the state", () => {
    assert.deepStrictEqual(found(personal), [])
  })

  it("S16: no control character reaches a terminal, and no value begins a line", () => {
    for (const { what, text, isText } of produced) {
      if (!isText) continue
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      assert.notMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/, what)
      assert.notMatch(text, /^\s*\{"level"/m, what)
      assert.notInclude(text, "forged-line", what)
    }
  })

  it("errors are said in words, without a stack", () => {
    for (const { what, text, isText } of produced) if (isText) assert.notMatch(text, /^\s+at .*:\d+:\d+/m, what)
  })
})

/** A plugin with a bug in every way there is, and all it knows in the error's message. */
const leaky = `
import { Sink } from "@sluice/core"
import { Effect, Redacted, Schema } from "effect"
const ways = {
  dies: (error) => Effect.die(error),
  throws: (error) => { throw error },
  rejects: (error) => Effect.promise(() => Promise.reject(error)),
  later: (error) => Effect.andThen(Effect.sync(() => setTimeout(() => { throw error })), Effect.never),
  forgets: (error) => Effect.andThen(Effect.sync(() => { Promise.reject(error) }), Effect.never),
}
export const sink = Sink.simple({
  name: "leaky",
  config: Schema.Struct({ way: Schema.String, secret: Schema.RedactedFromValue(Schema.String) }),
  limits: { rows: 10 },
  repeatable: true,
  write: (batch, config) =>
    ways[config.way](new TypeError(JSON.stringify(batch.rows) + Redacted.value(config.secret))),
})
`

describe("B17: a plugin with a bug", () => {
  it.each(["dies", "throws", "rejects", "later", "forgets"])(
    "that %s ends the run with 70, in order and in words",
    async (way) => {
      it1.write("leaky.ts", leaky)
      const text = readFileSync(config, "utf8")
        .replace(
          / {2}brevo:\n {4}use: brevo\n.*\n.*\n/,
          `  brevo: { use: ./leaky.ts, way: ${way}, secret: "\${BREVO_API_KEY}" }\n`,
        )
        .replace(/ {8}with:\n(?: {10}.*\n?)+/, "")
      const file = it1.write(`leaky-${way}.yaml`, text)
      const state = join(folder, `${way}.db`)
      const finished = await sluice(["run", file, "--grace", "0", "--state", state], it1.env)
      assert.strictEqual(finished.code, 70, finished.stdout + finished.stderr)
      const texts = [finished.stdout, finished.stderr].map((each) => ({ what: way, text: each, isText: true }))
      assert.deepStrictEqual(found([...personal, credentials.apiKey], texts), [])
      assert.include(finished.stdout + finished.stderr, "leaky.ts")
      const runs = await sluice(["runs", "list", "--json", "--state", state])
      assert.strictEqual(JSON.parse(runs.stdout).length, 1)
    },
  )
})

const columnsOf = (file: string): ReadonlyArray<{ readonly column: string; readonly text: string }> => {
  const database = new DatabaseSync(file, { readOnly: true })
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()
  const cells = tables.flatMap(({ name }) =>
    database
      .prepare(`SELECT * FROM "${String(name)}"`)
      .all()
      .flatMap((row) =>
        Object.entries(row).map(([column, value]) => ({ column: `${name}.${column}`, text: `${value}` })),
      ),
  )
  database.close()
  return cells
}

describe("a state without a key", () => {
  it("I6: holds personal data in the payload of dead letters and nowhere else", async () => {
    const state = join(folder, "plain.db")
    const { code } = await sluice(["run", config, "--state", state], it1.env)
    assert.strictEqual(code, 4)
    const places = columnsOf(state)
      .filter(({ text }) => personal.some((canary) => text.includes(canary)))
      .map(({ column }) => column)
    assert.deepStrictEqual([...new Set(places)], ["dead_letters.payload"])
  })

  it("I6: with `payload: none` holds none at all", async () => {
    const file = it1.write("none.yaml", `${readFileSync(config, "utf8")}\ndead_letters: { payload: none }\n`)
    const state = join(it1.folder, "none.db")
    const { code } = await sluice(["run", file, "--state", state], it1.env)
    assert.strictEqual(code, 4)
    assert.deepStrictEqual(found(personal, [{ what: "state", text: readFileSync(state, "latin1"), isText: false }]), [])
  })
})

/** Killed while Brevo works on an import of everybody: what the state is then. */
const leaveJobOpen = async (name: string, key: Readonly<Record<string, string>>) => {
  const { control } = it1.sandbox
  rename(`-${name}`)
  control.importsTake(600_000)
  const lists = "          lists:\n"
  const byImport = readFileSync(config, "utf8").replace(
    lists,
    `          path: import\n          import_list: ${initial.imports}\n${lists}`,
  )
  const folder = join(it1.folder, name)
  mkdirSync(folder)
  const state = join(folder, "state.db")
  const running = start(["run", it1.write(`${name}.yaml`, byImport), "--state", state], { ...it1.env, ...key })
  const isOpen = () =>
    existsSync(state) &&
    columnsOf(state).some(({ column, text }) => column === "jobs.ref" && /"processes":\[\d/.test(text))
  while (!isOpen()) await new Promise((resolve) => setTimeout(resolve, 5))
  running.child.kill("SIGKILL")
  await running.done
  return { folder, state }
}

describe("a state with an open job", () => {
  it("I6: without a key holds personal data in its spool, and nowhere else", async () => {
    const { state } = await leaveJobOpen("plain", {})
    const places = columnsOf(state)
      .filter(({ text }) => personal.some((canary) => text.includes(canary)))
      .map(({ column }) => column)
    assert.deepStrictEqual([...new Set(places)].sort(), ["dead_letters.payload", "spool.content"])
  })

  it("I6: with SLUICE_STATE_KEY holds none, in no byte of its files, and its rows are in them", async () => {
    const { folder, state } = await leaveJobOpen("sealed", { SLUICE_STATE_KEY: STATE_KEY })
    assert.isAbove(columnsOf(state).filter(({ column }) => column === "spool.content").length, PEOPLE / 2)
    const files = filesOf(folder).map((file) => ({ what: file, text: readFileSync(file, "latin1"), isText: false }))
    assert.isAbove(files.length, 1)
    const { clientSecret, apiKey } = credentials
    assert.deepStrictEqual(found([...personal, clientSecret, apiKey, STATE_KEY, ...bearers], files), [])
    for (const file of filesOf(folder)) assert.strictEqual(statSync(file).mode & 0o077, 0, file)
  })
})
