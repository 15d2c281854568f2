/** Which variable wins, and what is said about files that are missing. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readEnvironment, readSecretFile } from "../src/node/environment.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "sluice-env-"))),
  (at) => Effect.sync(() => fs.rmSync(at, { recursive: true, force: true })),
)

describe("the environment", () => {
  it.effect("a variable of the process wins over --env-file, which wins over .env beside the pipeline file", () =>
    Effect.gen(function* () {
      const at = yield* folder
      fs.writeFileSync(path.join(at, ".env"), "A=dotenv\nB=dotenv\nC='with = and # inside'\n__proto__=odd\n")
      fs.writeFileSync(path.join(at, "prod.env"), "B=file\nD=file\n")
      const found = yield* readEnvironment({
        pipelineFile: path.join(at, "sluice.yaml"),
        envFile: path.join(at, "prod.env"),
        env: { D: "process", E: "", F: undefined },
      })
      assert.deepStrictEqual(
        ["A", "B", "C", "D", "E", "F"].map((name) => found.get(name)),
        ["dotenv", "file", "with = and # inside", "process", "", undefined],
      )
    }),
  )

  it.effect("a missing .env is nothing, a missing --env-file is an error that names it", () =>
    Effect.gen(function* () {
      const at = yield* folder
      const pipelineFile = path.join(at, "sluice.yaml")
      assert.strictEqual((yield* readEnvironment({ pipelineFile, env: {} })).size, 0)
      const envFile = path.join(at, "no.env")
      const missing = yield* Effect.flip(readEnvironment({ pipelineFile, envFile, env: {} }))
      assert.include(missing.message, `${envFile} does not exist`)
    }),
  )

  it.effect("a secret file is read from beside the pipeline file, whatever the working directory", () =>
    Effect.gen(function* () {
      const at = yield* folder
      const pipelineFile = path.join(at, "sluice.yaml")
      fs.writeFileSync(path.join(at, "key"), " test-secret \r\n")
      for (const name of ["./key", path.join(at, "key")]) {
        assert.strictEqual((yield* readSecretFile(name, pipelineFile)).text, " test-secret \r\n")
      }
      assert.include((yield* Effect.flip(readSecretFile("none", pipelineFile))).message, "does not exist")
      assert.include((yield* Effect.flip(readSecretFile(".", pipelineFile))).message, "no regular file")
      fs.chmodSync(path.join(at, "key"), 0o600)
      assert.isUndefined((yield* readSecretFile("key", pipelineFile)).concern)
      fs.chmodSync(path.join(at, "key"), 0o644)
      assert.include((yield* readSecretFile("key", pipelineFile)).concern, `chmod 600 ${path.join(at, "key")}`)
      fs.truncateSync(path.join(at, "key"), 300_000)
      assert.include((yield* Effect.flip(readSecretFile("key", pipelineFile))).message, "larger than")
    }),
  )
})
