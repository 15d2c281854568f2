/** Runs a pipeline file from a program of one's own. */
import { readFileSync } from "node:fs"
import { layer } from "@sluice/cli/node"
import { plan, run, SecretFileError } from "@sluice/core"
import * as Effect from "effect/Effect"

const [file = "users.yaml", stateFile = ".sluice/state.db"] = process.argv.slice(2)
const readSecretFile = () => Effect.fail(new SecretFileError({ message: "secrets come from variables here" }))
const program = Effect.gen(function* () {
  const { pipelines } = yield* plan({ file, text: readFileSync(file, "utf8"), env: process.env, readSecretFile })
  return yield* run(pipelines)
}).pipe(Effect.provide(layer({ stateFile, env: process.env })))

const report = await Effect.runPromise(program)
process.stdout.write(`${JSON.stringify(report)}\n`)
