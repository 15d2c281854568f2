/**
 * `node packages/cli/bench/startup.ts [--json] [--rounds N]`: how long the built command line takes to start, against a
 * Node that does nothing. Ratios of one round each, so that what disturbs the machine disturbs both; medians of all rounds.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import { parseArgs } from "node:util"

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, rounds: { type: "string", default: "15" } },
})

const smallFile = `sources:
  tenant:
    { use: auth0, domain: "\${AUTH0_DOMAIN}", client_id: "\${AUTH0_CLIENT_ID}", client_secret: "\${AUTH0_CLIENT_SECRET}" }
sinks:
  brevo: { use: brevo, api_key: "\${BREVO_API_KEY}" }
pipelines:
  users:
    from: tenant.users
    to:
      brevo.contacts:
        key: ext_id
        map: { ext_id: user_id, email: email, FIRSTNAME: given_name, COMPANY: user_metadata.company }
`

const folder = mkdtempSync(join(tmpdir(), "sluice-startup-"))
const file = join(folder, "users.yaml")
const target = join(folder, "built")
const built = join(target, "bin.js")
const source = join(import.meta.dirname, "../src/bin.ts")

const env = {
  PATH: process.env.PATH ?? "",
  HOME: folder,
  AUTH0_DOMAIN: "tenant.example.com",
  AUTH0_CLIENT_ID: "test-client",
  AUTH0_CLIENT_SECRET: "test-secret",
  BREVO_API_KEY: "test-key",
}

interface Case {
  readonly name: string
  readonly args: ReadonlyArray<string>
  readonly floor?: number
  readonly aim?: number
  readonly env?: Readonly<Record<string, string>>
}

const nothing: Case = { name: "bare node", args: ["-e", "0"] }
const cases: ReadonlyArray<Case> = [
  { name: "bare node again (A/A)", args: ["-e", "0"] },
  { name: "`sluice --version`", args: [built, "--version"], floor: 5, aim: 3 },
  { name: "`sluice check` of a small file", args: [built, "check", file], floor: 8, aim: 4 },
  { name: "the same, nothing kept compiled", args: [built, "check", file], env: { NODE_DISABLE_COMPILE_CACHE: "1" } },
  { name: "the same from source, as `pnpm sluice`", args: [source, "check", file] },
]

const millis = ({ name, args, env: own }: Case): number => {
  const start = performance.now()
  const { status, stderr } = spawnSync(process.execPath, args, { env: { ...env, ...own } })
  const took = performance.now() - start
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`)
  return took
}

const median = (numbers: ReadonlyArray<number>): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN

const measure = () => {
  execFileSync(process.execPath, [join(import.meta.dirname, "../build/build.ts"), target], { stdio: "ignore" })
  writeFileSync(file, smallFile)
  for (const each of cases) millis(each)
  const rounds = Array.from({ length: Number(values.rounds) }, () => {
    const bare = millis(nothing)
    return { bare, times: cases.map(millis) }
  })
  const bare = median(rounds.map((round) => round.bare))
  return cases.map(({ name, floor, aim }, at) => {
    const took = median(rounds.map(({ times }) => times[at] ?? Number.NaN))
    const ratio = median(rounds.map((round) => (round.times[at] ?? Number.NaN) / round.bare))
    return {
      name: `${name} against bare node`,
      measured: Number(ratio.toFixed(2)),
      unit: "×",
      better: "less",
      ...(floor === undefined ? {} : { floor }),
      ...(aim === undefined ? {} : { aim }),
      detail: `${took.toFixed(0)} against ${bare.toFixed(0)} ms`,
    }
  })
}

try {
  const lines = measure()
  const text = lines.map(({ name, measured, detail }) => `${measured.toFixed(2).padStart(6)} × ${name} (${detail})\n`)
  process.stdout.write(values.json ? `${JSON.stringify(lines, null, 2)}\n` : text.join(""))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
