/** Rule 10 between machines: two processes, one pipeline, one state in Postgres. */
import { hostname } from "node:os"
import { assert, describe, it } from "vitest"
import { type Machines, makeMachines } from "./postgres/machines.ts"
import { type Running, sluice } from "./process.ts"

const USERS = 40

const errorOf = (stdout: string) => JSON.parse(stdout).problems[0]

/** Starts a run and resolves when it waits for an answer from Brevo that `signal` kept it from reading. */
const stoppedAtWrite = ({ atNextWrite, run }: Machines, signal: "SIGSTOP" | "SIGKILL"): Promise<Running> =>
  new Promise((resolve) => {
    const first = run()
    atNextWrite(() => {
      first.child.kill(signal)
      resolve(first)
    })
  })

/** Every user once, and nothing under way. */
const judge = async ({ ask, bench }: Machines) => {
  const created = bench.sandbox.control.journal().filter(({ effect }) => effect === "created")
  assert.strictEqual(created.length, USERS)
  assert.strictEqual(bench.sandbox.control.contacts().length, USERS)
  assert.deepStrictEqual(await ask("SELECT COUNT(*) AS n FROM ledger WHERE hash IS NOT NULL"), [{ n: String(USERS) }])
  assert.deepStrictEqual(await ask("SELECT batch FROM sending UNION ALL SELECT batch FROM jobs"), [])
}

const withMachines = async (use: (machines: Machines) => Promise<void>) => {
  const machines = await makeMachines(USERS)
  try {
    await use(machines)
  } finally {
    await machines.close()
  }
}

/** Processes start slowly on a busy machine. */
const patient = { timeout: 120_000 }

describe("rule 10 between machines", patient, () => {
  it("B07: the second is refused with 5, names the first, and asks no vendor; the first goes on", () =>
    withMachines(async (machines) => {
      const first = await stoppedAtWrite(machines, "SIGSTOP")
      const second = await machines.run().done
      assert.strictEqual(second.code, 5, second.stderr)
      const { code, message } = errorOf(second.stdout)
      assert.strictEqual(code, "LockHeld")
      assert.include(message, `process ${first.child.pid} on ${hostname().slice(0, 20)}`)
      assert.match(message, /started at 20\d\d-/)
      assert.strictEqual(machines.runsSeen(), 1)
      first.child.kill("SIGCONT")
      assert.strictEqual((await first.done).code, 0)
      await judge(machines)
    }))

  it("B08: after kill -9 of the holder another machine takes over at once; nothing is lost or made twice", () =>
    withMachines(async (machines) => {
      const first = await stoppedAtWrite(machines, "SIGKILL")
      assert.isNull((await first.done).code)
      const second = await machines.run().done
      assert.strictEqual(second.code, 0, second.stdout + second.stderr)
      await judge(machines)
    }))

  it("B09: a holder that was stopped and lost its lock is fenced off: revived, it records nothing more", () =>
    withMachines(async (machines) => {
      const first = await stoppedAtWrite(machines, "SIGSTOP")
      await machines.severLock(first.child.pid)
      const second = await machines.run().done
      assert.strictEqual(second.code, 0, second.stdout + second.stderr)
      const recorded = async () => {
        const tables: Array<unknown> = []
        for (const table of ["fences", "checkpoints", "ledger", "sending", "dead_letters"]) {
          tables.push(await machines.ask(`SELECT * FROM ${table} ORDER BY 1, 2`))
        }
        return tables
      }
      const before = await recorded()
      first.child.kill("SIGCONT")
      const revived = await first.done
      assert.strictEqual(revived.code, 1)
      assert.strictEqual(JSON.parse(revived.stdout).pipelines[0].error.code, "Fenced")
      assert.deepStrictEqual(await recorded(), before)
      await judge(machines)
    }))

  it("a run whose lock was severed takes it again, and ends well where nobody was quicker", () =>
    withMachines(async (machines) => {
      const first = await stoppedAtWrite(machines, "SIGSTOP")
      await machines.severLock(first.child.pid)
      first.child.kill("SIGCONT")
      assert.strictEqual((await first.done).code, 0)
      await judge(machines)
    }))
})

describe("the commands that look at the state", patient, () => {
  it("take the URL as they take a file, find it in SLUICE_STATE, and never make a state or show a password", () =>
    withMachines(async (machines) => {
      const { state } = machines
      const password = new URL(state).password
      const none = await sluice(["runs", "list"], { SLUICE_STATE: state })
      assert.strictEqual(none.code, 2)
      assert.include(none.stderr, "there is no state at postgres://sluice@127.0.0.1")
      assert.notInclude(none.stderr, password)
      assert.deepStrictEqual(await machines.ask("SELECT 1 WHERE current_schema() IS NOT NULL"), [])

      assert.strictEqual((await machines.run().done).code, 0)
      const [run] = JSON.parse((await sluice(["runs", "list", "--json", "--state", state])).stdout)
      assert.strictEqual(run.status, "completed")
      const [shown] = JSON.parse((await sluice(["state", "show", "--json"], { SLUICE_STATE: state })).stdout)
      assert.strictEqual(shown.routes[0].ledger, USERS)
      const letters = await sluice(["dead-letters", "list", "--json", "--state", state])
      assert.deepStrictEqual(JSON.parse(letters.stdout), [])
      const reset = await sluice(["state", "reset", shown.pipeline, "--all", "--yes", "--state", state])
      assert.strictEqual(reset.code, 0, reset.stderr)
      assert.deepStrictEqual(await machines.ask("SELECT * FROM ledger"), [])
    }))
})
