/** Which test files there are, and which pipeline file each belongs to: `users.test.yaml` stands beside `users.yaml`. */
import * as fs from "node:fs"
import * as path from "node:path"
import type { TestInput } from "@sluice/core"
import * as Effect from "effect/Effect"
import { isTestFile, readPipelineFile } from "../load.ts"
import { UsageError } from "../troubles.ts"

export interface TestPair {
  readonly file: string
  readonly pipelineFile: string
}

const TEST_FILE = /\.test\.(ya?ml)$/

/** `configs/*.yaml` names test files and pipeline files alike: each pair comes once. Without files all below `folder`. */
export const findTests = Effect.fnUntraced(function* (files: ReadonlyArray<string>, folder: string) {
  const named = files.length > 0 ? files : yield* below(folder)
  const pairs = new Map<string, TestPair>()
  for (const file of named) {
    const pair = yield* pairOf(file)
    pairs.set(path.resolve(pair.file), pair)
  }
  return [...pairs.values()]
})

const below = (folder: string): Effect.Effect<ReadonlyArray<string>, UsageError> => {
  const found = walk(folder).sort()
  if (found.length > 0) return Effect.succeed(found)
  const message = "there is no *.test.yaml here or in a folder below"
  const fix = "write one beside a pipeline file: docs/guide/testing-mappings.md shows how"
  return Effect.fail(new UsageError({ message, fix }))
}

/** Not into packages and hidden folders, and not through links, which may lead in a circle. */
const walk = (folder: string): Array<string> =>
  fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const name = folder === "." ? entry.name : path.join(folder, entry.name)
    if (entry.isFile()) return isTestFile(entry.name) ? [name] : []
    return entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith(".") ? walk(name) : []
  })

/** Of a test file, or of a pipeline file that has one. */
export const pairOf = (file: string) => (isTestFile(file) ? pairOfTest(file) : pairOfPipeline(file))

const pairOfTest = (file: string): Effect.Effect<TestPair, UsageError> => {
  const pipelineFile = [file.replace(TEST_FILE, ".$1"), file.replace(TEST_FILE, ".yaml")].find(fs.existsSync)
  if (pipelineFile !== undefined) return Effect.succeed({ file, pipelineFile })
  const message = `${file} tests ${file.replace(TEST_FILE, ".$1")}, which does not exist`
  return Effect.fail(
    new UsageError({ message, fix: "a test file is called as its pipeline file, with .test before .yaml" }),
  )
}

const pairOfPipeline = (pipelineFile: string): Effect.Effect<TestPair, UsageError> => {
  const wanted = pipelineFile.replace(/\.(ya?ml)$/, ".test.$1")
  const file = [wanted, wanted.replace(TEST_FILE, ".test.yaml")].find((name) => isTestFile(name) && fs.existsSync(name))
  if (file !== undefined) return Effect.succeed({ file, pipelineFile })
  if (!fs.existsSync(pipelineFile)) {
    return Effect.fail(
      new UsageError({ message: `${pipelineFile} does not exist`, fix: "give the path of a .yaml file" }),
    )
  }
  const fix = `write ${wanted}: \`tests: [{ name: …, record: {…} }]\` is enough, and --update fills in what comes of it`
  return Effect.fail(new UsageError({ message: `${pipelineFile} has no tests`, fix }))
}

export const readPair = Effect.fnUntraced(function* ({ file, pipelineFile }: TestPair) {
  const input: TestInput = {
    file,
    text: yield* readPipelineFile(file),
    pipelineFile,
    pipelineText: yield* readPipelineFile(pipelineFile),
  }
  return input
})
