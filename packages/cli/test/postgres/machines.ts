/** Machines that share a state in Postgres: `sluice run` as processes of their own, and the server as its administrator sees it. */
import type { Handler, Sandbox } from "@sluice/sandbox"
import pg from "pg"
import { type Bench, bench, config, type Running, start } from "../process.ts"
import { newPostgresState, schemaOf } from "./database.ts"

export interface Machines {
  readonly bench: Bench
  readonly state: string
  /** Runs that asked a vendor for anything: the first thing is a token. */
  readonly runsSeen: () => number
  /** The next write at Brevo: what happens when it arrives. */
  readonly atNextWrite: (then: () => void) => void
  readonly run: () => Running
  /** Asks the state. */
  readonly ask: (text: string) => Promise<ReadonlyArray<Record<string, unknown>>>
  /** Ends the session that holds a process's lock, as a firewall or a restart of the server would. */
  readonly severLock: (pid: number | undefined) => Promise<void>
  readonly close: () => Promise<void>
}

export const makeMachines = async (users: number): Promise<Machines> => {
  const state = await newPostgresState()
  const client = new pg.Client({ connectionString: state.replace(/\?.*/, "") })
  await client.connect()
  await client.query(`SET search_path TO ${schemaOf(state)}`)
  const started: Array<Running> = []
  let runsSeen = 0
  let then: (() => void) | undefined
  const watched =
    (handle: Handler): Handler =>
    (request) => {
      if (request.path === "/oauth/token") runsSeen += 1
      const isWrite = request.path.startsWith("/contacts") && request.method !== "GET"
      const answer = handle(request)
      if (isWrite && then !== undefined) {
        then()
        then = undefined
      }
      return answer
    }
  const vendors = await bench({ users }, (sandbox: Sandbox) => ({
    ...sandbox,
    auth0: watched(sandbox.auth0),
    brevo: watched(sandbox.brevo),
  }))
  const ask: Machines["ask"] = async (text) => (await client.query(text)).rows
  return {
    bench: vendors,
    state,
    runsSeen: () => runsSeen,
    atNextWrite: (next) => {
      then = next
    },
    run: () => {
      const running = start(["run", config, "--json"], { ...vendors.env, SLUICE_STATE: state })
      started.push(running)
      return running
    },
    ask,
    severLock: async (pid) => {
      const name = `sluice process ${pid} on %`
      const { rows } = await client.query(
        "SELECT pg_terminate_backend(pid, 10000) AS ended FROM pg_stat_activity WHERE application_name LIKE $1",
        [name],
      )
      if (rows.length !== 1) throw new Error(`${rows.length} sessions of process ${pid}`)
    },
    close: async () => {
      // Also one that a failed test left stopped.
      for (const { child } of started) child.kill("SIGKILL")
      await client.end()
      await vendors.close()
    },
  }
}
