/** What befalls a process besides kill -9: hung vendors, closed pipes, full disks, places that cannot hold a state. */
import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { pathToFileURL } from "node:url"
import { afterEach, assert, describe, it } from "vitest"
import { contactsByUser, pipelineOf } from "./expected.ts"
import { type Bench, bench, config, type Finished, printed, root, sluice, start } from "./process.ts"

const opened: Array<Bench> = []
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
})

const open = async (users: number) => {
  const made = await bench({ users })
  opened.push(made)
  return made
}

const run = (it1: Bench, ...flags: ReadonlyArray<string>) =>
  sluice(["run", config, "--json", "--state", it1.state, ...flags], it1.env)

const begin = (it1: Bench, ...flags: ReadonlyArray<string>) =>
  start(["run", config, "--state", it1.state, ...flags], it1.env)

const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

const struck = ({ sandbox: { control } }: Bench) => until(() => control.faults.fired().some(({ hits }) => hits > 0))

const asked = ({ sandbox: { counters } }: Bench): number =>
  Object.values(counters.requests).reduce((sum, { reads, writes }) => sum + reads + writes, 0)

/** From the signal to the end. */
const endBy = async (running: ReturnType<typeof start>, signal: NodeJS.Signals) => {
  const began = performance.now()
  running.child.kill(signal)
  const finished = await running.done
  return { ...finished, millis: performance.now() - began }
}

/** I3: one more run, and Brevo holds what the users are; no contact was made twice. */
const settles = async (it1: Bench): Promise<Finished> => {
  it1.sandbox.control.faults.clear()
  const last = await run(it1)
  assert.strictEqual(last.code, 0, last.stdout)
  const pipeline = await pipelineOf(config, it1.env)
  const { expected, actual } = await contactsByUser(pipeline, it1.sandbox)
  assert.deepStrictEqual(actual, expected)
  const created = it1.sandbox.control.journal().filter(({ effect }) => effect === "created")
  assert.strictEqual(new Set(created.map(({ key }) => key)).size, created.length)
  return last
}

describe("a signal", () => {
  it("B03: while the source waits out a 429 ends the wait, says how to go on, and loses nothing", async () => {
    const it1 = await open(150)
    const { faults } = it1.sandbox.control
    faults.add({ vendor: "auth0", path: "/api/v2/users", skip: 2, fault: { kind: "throttle", resetSeconds: 600 } })
    const running = begin(it1, "--grace", "10")
    await struck(it1)
    const { code, stdout, stderr, millis } = await endBy(running, "SIGTERM")
    assert.strictEqual(code, 143, stderr)
    assert.isBelow(millis, 5000)
    assert.match(stdout + stderr, /resume/)
    await settles(it1)
  })

  it("B03: before the first record, while a token is asked for, ends at once", async () => {
    const it1 = await open(20)
    it1.sandbox.control.faults.add({ vendor: "auth0", path: "/oauth", fault: { kind: "stall", millis: 60_000 } })
    const running = begin(it1, "--grace", "10")
    await struck(it1)
    const { code, millis } = await endBy(running, "SIGTERM")
    assert.strictEqual(code, 143)
    assert.isBelow(millis, 5000)
    await settles(it1)
  })

  it("B03: what was acknowledged before it is not sent again", async () => {
    const it1 = await open(150)
    const { control } = it1.sandbox
    control.faults.add({ vendor: "brevo", access: "write", skip: 70, fault: { kind: "slow", millis: 100 } })
    const running = begin(it1)
    await struck(it1)
    const { code } = await endBy(running, "SIGINT")
    assert.strictEqual(code, 130)
    const before = new Set(control.journal().map(({ key }) => key))
    assert.strictEqual(control.journal().length, before.size)
    assert.isBelow(before.size, 150)
    await settles(it1)
    assert.strictEqual(control.journal().length, 150)
  })

  it("B04: while a call hangs ends when the grace is over, and the state goes on from there", async () => {
    const it1 = await open(150)
    const { faults } = it1.sandbox.control
    faults.add({ vendor: "brevo", access: "write", skip: 70, fault: { kind: "stall", millis: 600_000 } })
    const running = begin(it1, "--grace", "1")
    await struck(it1)
    const { code, millis } = await endBy(running, "SIGTERM")
    assert.strictEqual(code, 143)
    assert.isAtLeast(millis, 900)
    assert.isBelow(millis, 10_000) // 25 s without `--grace`
    await settles(it1)
  })

  it("B05: a second one ends at once, whichever it is, and the state goes on from there", async () => {
    for (const [first, second, expected] of [
      ["SIGTERM", "SIGTERM", 143],
      ["SIGINT", "SIGTERM", 143],
    ] as const) {
      const it1 = await open(120)
      const { faults } = it1.sandbox.control
      faults.add({ vendor: "brevo", access: "write", skip: 60, fault: { kind: "stall", millis: 600_000 } })
      const running = begin(it1)
      await struck(it1)
      const heard = printed(running, "stderr", "second signal")
      running.child.kill(first)
      await heard
      const { code, millis } = await endBy(running, second)
      assert.strictEqual(code, expected)
      assert.isBelow(millis, 5000) // the grace is 25 s
      await settles(it1)
    }
  })

  it("B06: SIGHUP drains too and exits 129", async () => {
    const it1 = await open(150)
    const { control } = it1.sandbox
    control.faults.add({ vendor: "brevo", access: "write", skip: 60, fault: { kind: "slow", millis: 50 } })
    const running = begin(it1)
    await struck(it1)
    const { code, stderr } = await endBy(running, "SIGHUP")
    assert.strictEqual(code, 129, stderr)
    await settles(it1)
    assert.strictEqual(control.journal().length, 150)
  })
})

/** A shell's own pipes, with the exit code of `sluice` as the last line. */
const shell = (it1: Bench, tail: string) =>
  new Promise<string>((resolve) => {
    const command = `"${process.execPath}" "${join(root, "packages/cli/src/bin.ts")}" run "${config}" --state "${it1.state}"`
    const child = spawn("sh", ["-c", `{ ${command}; echo "exit $?" >&3; } ${tail}`], {
      env: { PATH: process.env.PATH ?? "", ...it1.env },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    })
    let text = ""
    for (const stream of child.stdio.slice(1)) {
      stream?.on("data", (part: Buffer) => {
        text += part.toString()
      })
    }
    child.on("close", () => resolve(text))
  })

describe("output that nobody takes", () => {
  it.each([
    ["B06: a reader that goes away after a line", "| head -n 1"],
    ["B06: of both streams, while the run goes on", "2>&1 | head -n 1"],
    ["B11: a full disk behind it", "> /dev/full 2> /dev/full"],
  ])("%s costs no record", async (_, tail) => {
    const it1 = await open(120)
    const text = await shell(it1, tail)
    assert.include(text, "exit 0")
    assert.notMatch(text, /EPIPE|ENOSPC|^\s+at /m)
    await settles(it1)
    assert.strictEqual(it1.sandbox.control.journal().length, 120)
  })
})

describe("the lock", () => {
  it("B07: the second of two runs names who holds it, calls nobody and leaves the first alone", async () => {
    const it1 = await open(60)
    it1.sandbox.control.faults.add({
      vendor: "brevo",
      access: "write",
      times: 60,
      fault: { kind: "stall", millis: 60_000 },
    })
    const first = begin(it1, "--grace", "0")
    await struck(it1)
    // The same accounts at an address of its own, so that whatever it asks for is its own.
    const aside = await open(60)
    const second = await sluice(["run", config, "--json", "--state", it1.state], aside.env)
    assert.strictEqual(second.code, 5, second.stderr)
    assert.isBelow(second.millis, 5000)
    assert.strictEqual(asked(aside), 0)
    const { message } = JSON.parse(second.stdout).problems[0]
    assert.include(message, String(first.child.pid))
    assert.include(message, hostname())
    assert.match(message, /started at \d{4}-\d\d-\d\dT/)
    // B08: and when its holder is gone for good, it is free.
    first.child.kill("SIGKILL")
    assert.strictEqual((await first.done).code, null)
    await settles(it1)
  })

  it("B07: of five started at once one runs, and every contact is made once", async () => {
    const it1 = await open(60)
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => run(it1)))
    const codes = new Set(all.map(({ code }) => code))
    assert.isTrue(codes.has(0))
    assert.deepStrictEqual(
      [...codes].filter((code) => code !== 0 && code !== 5),
      [],
      all.map(({ stdout, stderr }) => stdout + stderr).join("\n"),
    )
    assert.strictEqual(it1.sandbox.control.journal().length, 60)
  })
})

const fullState = pathToFileURL(join(import.meta.dirname, "node/fullState.ts")).href

const position = (file: string): unknown => {
  const database = new DatabaseSync(file, { readOnly: true })
  const row = database.prepare("SELECT position FROM checkpoints").get()
  database.close()
  return row?.position
}

describe("a state that cannot be kept", () => {
  it("B11: on a full disk the run stops before it writes what it cannot record, names the file, and goes on later", async () => {
    const it1 = await open(300)
    const env = { ...it1.env, NODE_OPTIONS: `--import ${fullState}` }
    assert.strictEqual((await run(it1, "--limit", "1")).code, 0)
    for (const pages of ["0", "3", "6"]) {
      const sent = it1.sandbox.control.journal().length
      const at = position(it1.state)
      const { code, stdout } = await sluice(["run", config, "--json", "--state", it1.state], {
        ...env,
        SLUICE_TEST_PAGES: pages,
      })
      assert.strictEqual(code, 1)
      const [pipeline] = JSON.parse(stdout).pipelines
      const counts = pipeline.routes["brevo.contacts"]
      assert.isTrue(pipeline.resumable)
      assert.strictEqual(pipeline.error.code, "StateError")
      assert.include(pipeline.error.message, it1.state)
      assert.match(pipeline.error.message, /full.*\d+ bytes/)
      // A batch may be out whose outcome found no room; nothing is called delivered without a record of it.
      const taken = it1.sandbox.control
        .journal()
        .slice(sent)
        .filter(({ effect }) => effect !== "none")
      assert.isAtMost(taken.length - counts.delivered, 50)
      assert.strictEqual(counts.read, counts.delivered + counts.unchanged + counts.pending)
      if (counts.delivered + counts.unchanged === 0) assert.strictEqual(position(it1.state), at)
    }
    await settles(it1)
  })

  it("B14: where it may not lie nothing is asked of a vendor", async () => {
    const it1 = await open(10)
    const elsewhere = mkdtempSync(join(tmpdir(), "sluice-elsewhere-"))
    const inside = (name: string) => join(it1.folder, name)
    symlinkSync(elsewhere, inside("led-away"))
    mkdirSync(inside("folder"))
    writeFileSync(inside("a-file"), "")
    symlinkSync(join(elsewhere, "state.db"), inside("folder/linked.db"))
    writeFileSync(inside("folder/text.db"), "this is no database at all. ".repeat(100))
    const cases: ReadonlyArray<readonly [string, RegExp]> = [
      [inside("led-away/state.db"), /link/],
      [inside("folder/linked.db"), /link/],
      [inside("folder/text.db"), /damaged|no SQLite/],
      [inside("a-file/state.db"), /folder is a file/],
      [inside("not/there/state.db"), /does not exist/],
      // Root may write wherever files can be made; here nobody can make any.
      ["/proc/state.db", /does not exist|may not|read-only|refused/],
    ]
    const all = await Promise.all(
      cases.map(async ([state, why]) => ({
        state,
        why,
        ended: await sluice(["run", config, "--state", state], it1.env),
      })),
    )
    for (const { state, why, ended } of all) {
      assert.strictEqual(ended.code, 3, `${state}: ${ended.stderr}`)
      assert.include(ended.stderr.replace(/\s+/g, ""), state)
      assert.match(ended.stderr.replace(/\s+/g, " "), why)
      assert.notMatch(ended.stderr, /^\s+at /m)
    }
    assert.strictEqual(asked(it1), 0)
    assert.strictEqual(readFileSync(inside("folder/text.db"), "utf8").length, 2800)
    rmSync(elsewhere, { recursive: true })
  })
})
