/** `sluice test`: runs mapping tests, offline and without credentials, and with `--update` writes what they found. */
import * as fs from "node:fs"
import { type Problem, type TestFileReport, testMappings } from "@sluice/core"
import * as Effect from "effect/Effect"
import { EXIT, type ExitCode, exitOfProblems, gravest } from "../exit.ts"
import { readLock } from "../locks.ts"
import { findTests, readPair, type TestPair } from "../mappingTests/findTests.ts"
import { updateTests } from "../mappingTests/updateTests.ts"
import { layer as pluginsLayer } from "../node/plugins.ts"
import { present } from "../present.ts"
import { renderTests, type TestedFile } from "../render/tests.ts"

export interface TestCommandInput {
  readonly files: ReadonlyArray<string>
  readonly update: boolean
  readonly json: boolean
}

export const handler = Effect.fnUntraced(function* (input: TestCommandInput) {
  const files: Array<TestedFile> = []
  for (const pair of yield* findTests(input.files, ".")) files.push(yield* testFile(pair, input.update))
  const result = { ok: files.every(({ ok }) => ok), files }
  yield* present(result, { json: input.json, render: renderTests, exit: gravest(files.map(exitOf)) })
})

const testFile = Effect.fnUntraced(function* (pair: TestPair, update: boolean) {
  const input = yield* readPair(pair)
  return yield* Effect.gen(function* () {
    const lock = yield* readLock(pair.pipelineFile)
    const run = (text: string) => testMappings({ ...input, text }, lock).pipe(Effect.provide(pluginsLayer))
    const found = yield* run(input.text)
    if (!update || found.ok) return tested(found, [])
    const text = updateTests(input.text, found)
    const again = yield* run(text)
    fs.writeFileSync(pair.file, text)
    return tested(
      again,
      found.tests.filter(({ ok }) => !ok).map(({ name }) => name),
    )
  }).pipe(Effect.catchTag("ConfigError", ({ problems }) => Effect.succeed(broken(pair, problems))))
})

const tested = (report: TestFileReport, updated: ReadonlyArray<string>): TestedFile => ({
  ...report,
  updated,
  problems: [],
})

/** What is wrong with one file hides nothing of the others. */
const broken = ({ file, pipelineFile }: TestPair, problems: ReadonlyArray<Problem>): TestedFile => ({
  file,
  pipeline_file: pipelineFile,
  ok: false,
  tests: [],
  notices: [],
  updated: [],
  problems,
})

/** A failing test is a failure of what was asked for; a file that cannot be run is invalid. */
const exitOf = ({ ok, problems }: TestedFile): ExitCode => {
  if (problems.length > 0) return exitOfProblems(problems)
  return ok ? EXIT.done : EXIT.failed
}
