/** Signals, locks and closed pipes (rules 10 and 11, faults B03 to B07). */
import { afterEach, assert, describe, it } from "vitest"
import { type Bench, bench, config, printed, sluice, start } from "./process.ts"

let current: Bench | undefined
afterEach(() => current?.close())

const open = async (users: number) => {
  current = await bench({ users })
  return current
}

/** Brevo answers each write after so long. */
const slow = ({ sandbox }: Bench, millis: number) =>
  sandbox.control.faults.add({ vendor: "brevo", fault: { kind: "stall", millis }, path: "/contacts", access: "write" })

describe("signals", () => {
  it("rule 11, B03: SIGTERM drains, exits 143, and the next run sends nothing twice", async () => {
    const it1 = await open(300)
    slow(it1, 20)
    const running = start(["run", config, "--json", "--state", it1.state], it1.env)
    await contacts(it1, 20)
    running.child.kill("SIGTERM")
    const stopped = await running.done
    assert.strictEqual(stopped.code, 143, stopped.stderr)
    const report = JSON.parse(stopped.stdout)
    assert.strictEqual(report.pipelines[0].status, "interrupted")
    assert.isTrue(report.pipelines[0].resumable)
    const resumed = await sluice(["run", config, "--json", "--state", it1.state], it1.env)
    assert.strictEqual(resumed.code, 0, resumed.stderr)
    assert.strictEqual(it1.sandbox.control.contacts().length, 300)
    assert.strictEqual(it1.sandbox.control.journal().length, 300)
  })

  it("B04: a sink that hangs is given up when the grace is over", async () => {
    const it1 = await open(30)
    slow(it1, 60_000)
    const running = start(["run", config, "--grace", "1", "--state", it1.state], it1.env)
    await calls(it1)
    const began = performance.now()
    running.child.kill("SIGINT")
    const { code } = await running.done
    assert.strictEqual(code, 130)
    assert.isBelow(performance.now() - began, 10_000) // 25 s without `--grace`
  })

  it("B05: a second signal ends at once", async () => {
    const it1 = await open(30)
    slow(it1, 60_000)
    const running = start(["run", config, "--state", it1.state], it1.env)
    await calls(it1)
    const asked = printed(running, "stderr", "stopping")
    running.child.kill("SIGINT")
    await asked
    const began = performance.now()
    running.child.kill("SIGINT")
    const { code } = await running.done
    assert.strictEqual(code, 130)
    assert.isBelow(performance.now() - began, 5000) // the grace is 25 s
  })

  it("rule 10, B07: a second run of the same pipeline refuses with 5 and calls nobody", async () => {
    const it1 = await open(30)
    slow(it1, 60_000)
    const running = start(["run", config, "--grace", "0", "--state", it1.state], it1.env)
    await calls(it1)
    const before = it1.sandbox.counters.requests.auth0.reads
    const second = await sluice(["run", config, "--state", it1.state], it1.env)
    assert.strictEqual(second.code, 5)
    assert.include(second.stderr, String(running.child.pid))
    assert.strictEqual(it1.sandbox.counters.requests.auth0.reads, before)
    running.child.kill("SIGKILL")
    await running.done
  })

  it("B06: a reader that goes away costs output and nothing else", async () => {
    const it1 = await open(60)
    const running = start(["run", config, "--state", it1.state], it1.env)
    running.child.stdout?.destroy()
    const { code, stderr } = await running.done
    assert.strictEqual(code, 0)
    assert.notInclude(stderr, "EPIPE")
    assert.strictEqual(it1.sandbox.control.contacts().length, 60)
  })

  it("a reader that takes its time gets everything: the process waits for it", async () => {
    const running = start(["schema"])
    const { stdout } = running.child
    stdout?.pause()
    while ((stdout?.readableLength ?? 0) < 60_000) await new Promise((resolve) => setImmediate(resolve))
    stdout?.resume()
    const { code, stdout: text } = await running.done
    assert.strictEqual(code, 0)
    // More than the pipe and its reader hold.
    assert.isAbove(text.length, 150_000)
    assert.isObject(JSON.parse(text))
  })

  it("a preview is interrupted at once", async () => {
    const it1 = await open(30)
    it1.sandbox.control.faults.add({ vendor: "auth0", fault: { kind: "stall", millis: 60_000 } })
    const running = start(["preview", config, "--state", it1.state], it1.env)
    await calls(it1)
    running.child.kill("SIGTERM")
    const { code } = await running.done
    assert.strictEqual(code, 143)
  })
})

const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

const contacts = (it1: Bench, count: number) => until(() => it1.sandbox.control.contacts().length >= count)
const calls = (it1: Bench) => until(() => it1.sandbox.control.faults.fired().some(({ hits }) => hits > 0))
