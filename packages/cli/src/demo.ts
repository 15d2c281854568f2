/** `pnpm demo`: the sandbox, a preview, a run and a second run that writes nothing. Needs no account and leaves nothing. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { preview, type RunEvent, run } from "@sluice/core"
import { environment, makeSandbox, type Sandbox, serve } from "@sluice/sandbox"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { EXIT } from "./exit.ts"
import { reportFailure } from "./failures.ts"
import { Host, runProcess } from "./host.ts"
import { load } from "./load.ts"
import { layer } from "./node/index.ts"
import { renderPreview } from "./render/preview.ts"
import { makeProgress } from "./render/progress.ts"
import { renderReport } from "./render/report.ts"
import { number } from "./render/text.ts"

const USERS = 2500
const FILE = "configs/auth0-to-brevo.yaml"
const root = path.join(import.meta.dirname, "../../..")

const temporary = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "sluice-demo-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true })),
)

/** Two people are contacts already, one of them with another company and plan, so that there is a "before". */
const seedContacts = Effect.fnUntraced(function* (sandbox: Sandbox, variables: Readonly<Record<string, string>>) {
  const oldest = [...sandbox.control.users()].sort((a, b) => (String(a.created_at) < String(b.created_at) ? -1 : 1))
  const contacts = [
    { user: oldest[0], attributes: { COMPANY: "Old Company Ltd", SUBSCRIPTION_PLAN: "trial", LOGIN_COUNT: 1 } },
    { user: oldest[1], attributes: { FIRSTNAME: "Nobody" } },
  ]
  for (const { user, attributes } of contacts) {
    if (user === undefined) continue
    const body = JSON.stringify({ ext_id: user.user_id, email: user.email, attributes, listIds: [20] })
    const headers = { "api-key": variables.BREVO_API_KEY ?? "", "content-type": "application/json" }
    yield* Effect.promise(() => fetch(`${variables.BREVO_BASE_URL}/contacts`, { method: "POST", headers, body }))
  }
})

const demo = Effect.gen(function* () {
  const host = yield* Host
  const { bold, dim } = host.outPage.style
  const step = (title: string, command: string) => host.out(`\n${bold(title)}\n${dim(`$ ${command}`)}\n\n`)
  const folder = yield* temporary
  const sandbox = yield* makeSandbox({ users: USERS, seed: 1, limits: "high" })
  const { origin } = yield* serve(sandbox, 0)
  const variables = environment(origin)
  yield* seedContacts(sandbox, variables)
  yield* host.out(`A local Auth0 with ${number(USERS)} users and a local Brevo listen on ${origin}.\n`)

  const file = path.join(root, FILE)
  const { plan, env } = yield* load({ file, envFile: undefined }).pipe(
    Effect.provideService(Host, { ...host, env: { ...host.env, ...variables } }),
  )
  const services = layer({ stateFile: path.join(folder, "state.db"), env })

  yield* step("1. Look before you write.", `sluice preview ${FILE} --limit 3 --reveal`)
  const shown = { limit: 3, ids: [], emails: [], reveal: true }
  const previews = yield* Effect.forEach(plan.pipelines, (pipeline) => preview(pipeline, shown)).pipe(
    Effect.provide(services),
  )
  for (const each of previews) yield* host.out(`${renderPreview(each, host.outPage)}\n`)

  const execute = Effect.fnUntraced(function* (fullRefresh: boolean) {
    const progress = makeProgress(host.errPage, host.live)
    const onEvent = (event: RunEvent) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => host.err(progress.on(event, now) ?? ""))
    const report = yield* run(plan.pipelines, {
      fullRefresh,
      onEvent,
      estimate: true,
      stop: host.stopRequested,
    })
    yield* host.err(progress.end())
    yield* host.out(`${renderReport(report, host.outPage)}\n`)
    return report
  }, Effect.provide(services))

  yield* step("2. Run it.", `sluice run ${FILE}`)
  const first = yield* execute(false)
  yield* step(
    "3. Read everything again: nothing has changed, so nothing is written.",
    `sluice run ${FILE} --full-refresh`,
  )
  const second = yield* execute(true)
  const contacts = sandbox.control.contacts().length
  yield* host.out(
    `\nBrevo holds ${number(contacts)} contacts for ${number(USERS)} users. Next: \`pnpm sluice --help\`.\n`,
  )
  const writes = second.pipelines
    .flatMap(({ routes }) => Object.values(routes))
    .reduce((sum, { delivered }) => sum + delivered, 0)
  yield* host.setExit(first.ok && second.ok && writes === 0 && contacts === USERS ? EXIT.done : EXIT.failed)
}).pipe(Effect.scoped)

runProcess(reportFailure(demo, "pretty"), { plain: false, debug: false })
