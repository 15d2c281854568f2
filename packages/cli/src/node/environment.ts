/** Where variables and secret files come from: the process, `--env-file` and `.env` beside the pipeline file. */
import * as fs from "node:fs"
import * as path from "node:path"
import { parseEnv } from "node:util"
import type { SecretFile } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The surroundings do not allow a run: a variable, a file or a setting. Exit code 3. */
export class EnvironmentRefused extends Schema.TaggedError<EnvironmentRefused>()("EnvironmentRefused", {
  /** What is wrong and what to do; no value of a variable. */
  message: Schema.String,
}) {}

export type Variables = Readonly<Record<string, string | undefined>>

const LARGEST_FILE = 256 * 1024

export interface EnvironmentOptions {
  readonly pipelineFile: string
  /** Given with `--env-file`, seen from the working directory: it has to exist. */
  readonly envFile?: string | undefined
  /** The variables of the process; they win over files. */
  readonly env: Variables
}

const isMissing = (cause: unknown): boolean => cause instanceof Error && "code" in cause && cause.code === "ENOENT"

const readText = (file: string, what: string): Effect.Effect<string | undefined, EnvironmentRefused> =>
  Effect.suspend(() => {
    const refused = (problem: string) => Effect.fail(new EnvironmentRefused({ message: `${what} ${file} ${problem}` }))
    try {
      const found = fs.statSync(file)
      if (!found.isFile()) return refused("is no regular file")
      if (found.size > LARGEST_FILE) return refused(`is larger than ${LARGEST_FILE} bytes`)
      return Effect.succeed(fs.readFileSync(file, "utf8"))
    } catch (cause) {
      return isMissing(cause) ? Effect.succeed(undefined) : refused("cannot be read")
    }
  })

const required = (file: string, what: string): Effect.Effect<string, EnvironmentRefused> =>
  Effect.flatMap(readText(file, what), (text) =>
    text === undefined
      ? Effect.fail(new EnvironmentRefused({ message: `${what} ${file} does not exist` }))
      : Effect.succeed(text),
  )

/** All variables for `${VAR}`: of the process, else of `--env-file`, else of `.env`. Set and empty counts as set. */
export const readEnvironment = (
  options: EnvironmentOptions,
): Effect.Effect<ReadonlyMap<string, string>, EnvironmentRefused> =>
  Effect.gen(function* () {
    const beside = path.join(path.dirname(path.resolve(options.pipelineFile)), ".env")
    const texts = [yield* readText(beside, "the file")]
    if (options.envFile !== undefined) texts.push(yield* required(path.resolve(options.envFile), "the --env-file"))
    const variables = new Map<string, string>()
    for (const each of [...texts.map((text) => parseEnv(text ?? "")), options.env]) {
      for (const [name, value] of Object.entries(each)) if (value !== undefined) variables.set(name, value)
    }
    return variables
  })

/** What an orchestrator mounts for this container alone is readable to all of it. */
const MOUNTED = /^(\/var)?\/run\/secrets\//

/** Says so where every user of this machine may read the file. */
const concernOf = (file: string): string | undefined => {
  const open = process.platform !== "win32" && !MOUNTED.test(file) && (fs.statSync(file).mode & 0o004) !== 0
  return open ? `every user of this machine can read ${file}: chmod 600 ${file}` : undefined
}

/** The file for `${file:…}`, seen from the pipeline file. */
export const readSecretFile = (file: string, pipelineFile: string): Effect.Effect<SecretFile, EnvironmentRefused> => {
  const resolved = path.resolve(path.dirname(path.resolve(pipelineFile)), file)
  return Effect.map(required(resolved, "the secret file"), (text) => ({ text, concern: concernOf(resolved) }))
}
