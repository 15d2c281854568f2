/** Runs Sluice in this process as a program of one's own would: a pipeline file, `run`, the layers of Node. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { layer } from "@sluice/cli/node"
import { type PipelineReport, plan, type RunEvent, run, SecretFileError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"

export interface SluiceRun {
  readonly origin: string
  readonly batch: number
  readonly stateFile: string
  /** `off`: neither the ledger nor the marks of batches are asked or written; all else is. */
  readonly ledger: "on" | "off"
  /** Read from the start again. */
  readonly again?: boolean
  readonly onEvent?: (event: RunEvent) => Effect.Effect<void>
}

const file = join(import.meta.dirname, "pipeline.yaml")
const text = readFileSync(file, "utf8")
const readSecretFile = () => Effect.fail(new SecretFileError({ message: "the bench has no secrets" }))

const isLedger = (statement: TemplateStringsArray): boolean =>
  statement.some((part) => /\b(ledger|sending)\b/.test(part))

/**
 * A client that answers with no rows to every statement on the ledger and the marks, and never writes them: Sluice
 * has no such switch, because without them a row is sent twice. It shows what they cost.
 */
const withoutLedger = (sql: SqlClient.SqlClient): SqlClient.SqlClient =>
  new Proxy(sql, {
    apply: (target, self, args) => (isLedger(args[0]) ? nothing : Reflect.apply(target, self, args)),
  })

const nothing = Object.assign(Effect.succeed([]), { values: Effect.succeed([]) })

const layerFor = ({ ledger, stateFile }: SluiceRun): ReturnType<typeof layer> => {
  const whole = layer({ stateFile, env: {} })
  if (ledger === "on") return whole
  const changed = Layer.effect(SqlClient.SqlClient)(Effect.map(SqlClient.SqlClient, withoutLedger))
  return Layer.provideMerge(changed, whole)
}

export const sluice = async (options: SluiceRun): Promise<PipelineReport> => {
  const env = { BENCH_ORIGIN: options.origin, BENCH_BATCH: String(options.batch) }
  const program = Effect.gen(function* () {
    const { pipelines } = yield* plan({ file, text, env, readSecretFile })
    return yield* run(pipelines, {
      fullRefresh: options.again ?? false,
      ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    })
  }).pipe(Effect.provide(layerFor(options)))
  const { ok, pipelines } = await Effect.runPromise(program)
  const [report] = pipelines
  if (report === undefined || !ok) throw new Error(`the run failed: ${JSON.stringify(pipelines)}`)
  return report
}
