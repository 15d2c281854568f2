/** Dead letters, runs and state by the command line; a custom sink by its path; the sandbox as a process. */
import { cpSync, readdirSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Bench, bench, config, printed, root, sluice, start } from "./process.ts"

let messy: Bench
beforeAll(async () => {
  messy = await bench({ users: 120, messy: true })
})
afterAll(() => messy.close())

describe("what could not be delivered", () => {
  it("exits 4, lists dead letters masked, shows one, retries and drops", async () => {
    const ran = await sluice(["run", config, "--json", "--state", messy.state], messy.env)
    assert.strictEqual(ran.code, 4, ran.stderr)
    const [pipeline] = JSON.parse(ran.stdout).pipelines
    const counts = pipeline.routes["brevo.contacts"]
    assert.isAbove(counts.rejected, 0)
    const parts = ["delivered", "unchanged", "filtered", "superseded", "rejected", "in_doubt", "pending"]
    assert.strictEqual(
      counts.read,
      parts.reduce((sum, name) => sum + counts[name], 0),
    )

    const listed = JSON.parse((await sluice(["dead-letters", "list", "--json", "--state", messy.state])).stdout)
    assert.strictEqual(listed.length, counts.rejected)
    const users = [...messy.sandbox.control.users()]
    const texts = await sluice(["dead-letters", "list", "--state", messy.state])
    const number = String(listed[0].number)
    const shown = await sluice(["dead-letters", "show", number, "--state", messy.state])
    for (const { user_id } of users) {
      assert.notInclude(texts.stdout, String(user_id))
      assert.notInclude(shown.stdout, String(user_id))
    }
    const open = await sluice(["dead-letters", "show", number, "--reveal", "--json", "--state", messy.state])
    assert.isTrue(users.some(({ user_id }) => open.stdout.includes(String(user_id))))

    const retried = await sluice(
      ["dead-letters", "retry", config, "--number", number, "--json", "--state", messy.state],
      messy.env,
    )
    assert.strictEqual(JSON.parse(retried.stdout).pipelines[0].recovered["brevo.contacts"].rejected, 1)

    assert.strictEqual((await sluice(["dead-letters", "drop", "--state", messy.state])).code, 2)
    const dropped = await sluice(["dead-letters", "drop", "--number", number, "--json", "--state", messy.state])
    assert.deepStrictEqual(JSON.parse(dropped.stdout), { dropped: 1 })
    assert.strictEqual((await sluice(["dead-letters", "show", number, "--state", messy.state])).code, 2)
  })

  it("state reset does nothing without --yes, and then the next run reads everything", async () => {
    const name = "auth0-to-brevo.users"
    assert.strictEqual((await sluice(["state", "reset", name, "--state", messy.state])).code, 2)
    assert.strictEqual((await sluice(["state", "reset", "nobody", "--yes", "--state", messy.state])).code, 2)
    const before = JSON.parse((await sluice(["state", "show", "--json", "--state", messy.state])).stdout)
    assert.isNotNull(before[0].positions[0].position)
    assert.strictEqual((await sluice(["state", "reset", name, "--yes", "--state", messy.state])).code, 0)
    const after = JSON.parse((await sluice(["state", "show", "--json", "--state", messy.state])).stdout)
    assert.deepStrictEqual(after[0].positions, [])
    assert.strictEqual(after[0].routes[0].ledger, before[0].routes[0].ledger)
  })

  it("state show says that a vendor's job is open; state reset leaves it alone and says where to go on", async () => {
    const database = new DatabaseSync(messy.state)
    database.exec("INSERT INTO jobs SELECT 'b', id, 'ref', 5, 100, 'sum' FROM namespaces")
    const shown = await sluice(["state", "show", "--state", messy.state])
    assert.match(shown.stdout, /brevo\.contacts in .*, 1 job to follow/)
    const reset = await sluice(["state", "reset", "auth0-to-brevo.users", "--yes", "--state", messy.state])
    assert.notStrictEqual(reset.code, 0)
    assert.match(reset.stderr.replaceAll(/\s+/g, " "), /rows of brevo\.contacts in .* run it once with that account/)
    database.exec("DELETE FROM jobs")
    database.close()
  })
})

interface Received {
  readonly rows: ReadonlyArray<{ readonly id: string; readonly fields: unknown }>
}

describe("a custom sink by its path", () => {
  let server: Server
  const received: Array<Received> = []
  let failing = 0
  beforeAll(async () => {
    server = createServer((request, response) => {
      let text = ""
      request.setEncoding("utf8").on("data", (part: string) => {
        text += part
      })
      request.on("end", () => {
        if (failing > 0) {
          failing -= 1
          response.writeHead(503).end()
          return
        }
        const body: Received = JSON.parse(text)
        received.push(body)
        const rejected = body.rows.slice(0, 1).map(({ id }) => ({ id, code: "not_wanted", message: "no" }))
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ rejected }))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  })
  afterAll(() => server.close())

  const address = (): string => {
    const bound: AddressInfo | string | null = server.address()
    return typeof bound === "object" && bound !== null ? `http://127.0.0.1:${bound.port}/rows` : ""
  }

  it("promise 4: is checked, previewed, run with retries, and gets dead letters", async () => {
    const it1 = await bench({ users: 40 })
    const folder = join(it1.folder, "custom")
    cpSync(join(root, "examples/custom-sink"), folder, {
      recursive: true,
      filter: (path) => !path.includes("node_modules"),
    })
    assert.include(readdirSync(folder), "webhook.ts")
    const file = join(folder, "pipeline.yaml")
    const env = { ...it1.env, WEBHOOK_URL: address() }
    assert.strictEqual((await sluice(["check", file], env)).code, 0)
    const preview = await sluice(["preview", file, "--state", it1.state], env)
    assert.strictEqual(preview.code, 0, preview.stderr)
    assert.include(preview.stdout, "user_metadata.company → company")
    assert.strictEqual(received.length, 0)

    failing = 1
    const ran = await sluice(["run", file, "--json", "--state", it1.state], env)
    assert.strictEqual(ran.code, 4, ran.stderr)
    const [pipeline] = JSON.parse(ran.stdout).pipelines
    const counts = pipeline.routes["hook.users"]
    assert.strictEqual(counts.rejected, received.length)
    assert.strictEqual(counts.accepted + counts.rejected + counts.filtered, 40)
    assert.strictEqual(pipeline.calls.hook, received.length + 1)
    assert.strictEqual(failing, 0)
    const letters = JSON.parse((await sluice(["dead-letters", "list", "--json", "--state", it1.state])).stdout)
    assert.strictEqual(letters[0].code, "not_wanted")
    await it1.close()
  })
})

describe("sluice sandbox", () => {
  it("prints variables after which the config runs, and ends on a signal", async () => {
    const sandbox = start(["sandbox", "--port", "0", "--users", "25", "--json"])
    let text = ""
    sandbox.child.stdout?.on("data", (part: string) => {
      text += part
    })
    await printed(sandbox, "stderr", "Ctrl-C")
    const env = JSON.parse(text).environment
    const it1 = await bench()
    const ran = await sluice(["run", config, "--json", "--state", it1.state], env)
    assert.strictEqual(JSON.parse(ran.stdout).pipelines[0].routes["brevo.contacts"].created, 25)
    await it1.close()
    sandbox.child.kill("SIGINT")
    assert.strictEqual((await sandbox.done).code, 130)
  })

  it("prints shell lines", async () => {
    const sandbox = start(["sandbox", "--port", "0", "--users", "1"])
    await printed(sandbox, "stderr", "Ctrl-C")
    sandbox.child.kill("SIGTERM")
    const { stdout } = await sandbox.done
    const lines = stdout.trim().split("\n")
    assert.isTrue(lines.every((line) => /^export [A-Z0-9_]+=\S+$/.test(line)))
    assert.isTrue(lines.some((line) => line.startsWith("export AUTH0_DOMAIN=")))
  })
})

describe("schema", () => {
  it("prints a JSON Schema that knows the plugins' keys, and with --connect the live fields", async () => {
    const file = JSON.parse((await sluice(["schema"])).stdout)
    for (const key of ["client_secret", "login_url", "environment_id"]) {
      assert.include(JSON.stringify(file), `"${key}"`)
    }
    const live = await sluice(["schema", "--connect", config, "--json", "--state", messy.state], messy.env)
    const fields: ReadonlyArray<{ readonly name: string }> = JSON.parse(live.stdout)["brevo.contacts"]
    assert.isTrue(fields.some(({ name }) => name === "COMPANY"))
  })
})
