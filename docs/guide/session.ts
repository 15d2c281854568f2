/**
 * Works through a guide as a reader does, in one shell: saves the files it shows, runs its commands and keeps what they
 * print. Comments above a block, which no reader sees, say what it is: `<!-- file: users.yaml -->` is saved under that
 * name, `<!-- not run: why -->` is left out, `<!-- exits 4 -->` ends with that code. A `text` block is what the `sh` block
 * before it prints.
 */
import { spawn } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { bundle } from "../../packages/cli/build/bundle.ts"
import { writePackage } from "../../packages/cli/build/package.ts"
import { read, root } from "../files.ts"

export interface Block {
  readonly kind: string
  readonly text: string
  /** The line of the guide that its first line is. */
  readonly line: number
  readonly note: string
}

export const blocksOf = (page: string): ReadonlyArray<Block> =>
  [...page.matchAll(/(?:^<!-- (.*) -->\n)?^```(\w+)\n([\s\S]*?)^```$/gm)].map((found) => ({
    note: found[1] ?? "",
    kind: found[2] ?? "",
    text: found[3] ?? "",
    line: page.slice(0, found.index).split("\n").length + (found[1] === undefined ? 1 : 2),
  }))

/** A command as it was typed, lines that end in `\` joined. */
export interface Command {
  readonly line: string
  readonly code: number
  readonly wanted: number
  readonly out: string
  readonly err: string
}

export interface Passage {
  readonly guide: string
  readonly block: Block
  readonly commands: ReadonlyArray<Command>
  /** What the guide shows of its output; undefined where it shows none. */
  readonly shown: string | undefined
}

/** In the order they lead to each other. */
export const GUIDES = [
  "first-pipeline",
  "mapping",
  "preview",
  "testing-mappings",
  "resume-and-replay",
  "operating",
] as const

interface Surroundings {
  /** Empty but for what the guides before have left. */
  readonly folder: string
  /** Where outputs are kept, and a `sluice` that starts its sandbox on a free port. */
  readonly aside: string
  readonly bin: string
  /** Where Node keeps what it has compiled: guides start the command line often. */
  readonly compiled: string
}

/** All guides, one after the other, in a new folder `people` below `place`, with the command line as it is published. */
export const workThrough = async (place: string): Promise<ReadonlyArray<Passage>> => {
  const folder = join(place, "people")
  mkdirSync(folder)
  const built = join(place, "built")
  writePackage(built, await bundle(built))
  return work({
    folder,
    aside: join(place, "aside"),
    bin: join(built, "bin.js"),
    compiled: join(root, "node_modules/.cache/compiled"),
  })
}

const work = async (around: Surroundings) => {
  const passages = GUIDES.flatMap((guide) => passagesOf(guide, blocksOf(guidePage(guide))))
  let count = 0
  const numbered = passages.map((passage) => ({
    ...passage,
    steps: passage.steps.map((step) => ({ ...step, at: count++ })),
  }))
  prepare(around)
  const script = numbered.flatMap(({ files, steps }) => [
    ...files.map(({ name, text }) => `cat > '${name}' <<'END_OF_FILE'\n${text}END_OF_FILE`),
    ...steps.map(
      ({ line, at }) =>
        `{ ${line}\n} >${around.aside}/${at}.out 2>${around.aside}/${at}.err\necho $? >${around.aside}/${at}.code\n${settle(line)}`,
    ),
  ])
  await shell(`trap 'kill $(jobs -p)' EXIT\n${script.join("\n")}`, around)
  return numbered.map(
    ({ guide, block, shown, steps }): Passage => ({
      guide,
      block,
      shown,
      commands: steps.map(({ line, wanted, at }) => {
        const said = (what: string) => readIfThere(join(around.aside, `${at}.${what}`))
        return { line, wanted, code: Number(said("code") || -1), out: said("out"), err: said("err") }
      }),
    }),
  )
}

const shell = (script: string, { folder, aside, compiled }: Surroundings): Promise<void> =>
  new Promise((resolve) => {
    const env = {
      PATH: `${aside}:${process.env.PATH}`,
      HOME: aside,
      COLUMNS: "112",
      CI: "true",
      NODE_COMPILE_CACHE: compiled,
    }
    spawn("bash", ["-c", script], { cwd: folder, env, stdio: "ignore" }).on("close", () => resolve())
  })

export const guidePage = (guide: string): string => read(`docs/guide/${guide}.md`)

const readIfThere = (file: string): string => (existsSync(file) ? readFileSync(file, "utf8") : "")

interface Plan {
  readonly guide: string
  readonly block: Block
  /** Shown since the last command, to be saved before this one. */
  readonly files: ReadonlyArray<{ readonly name: string; readonly text: string }>
  readonly steps: ReadonlyArray<{ readonly line: string; readonly wanted: number }>
  readonly shown: string | undefined
}

const passagesOf = (guide: string, blocks: ReadonlyArray<Block>): ReadonlyArray<Plan> => {
  const plans: Array<Plan> = []
  let files: Array<{ readonly name: string; readonly text: string }> = []
  for (const [at, block] of blocks.entries()) {
    const name = /^file: (\S+)$/.exec(block.note)?.[1]
    if (name !== undefined) files.push({ name, text: block.text })
    if (block.kind !== "sh" || block.note.startsWith("not run: ")) continue
    const lines = block.text
      .replaceAll("\\\n", "")
      .split("\n")
      .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    const wanted = Number(/^exits (\d+)$/.exec(block.note)?.[1] ?? 0)
    const next = blocks[at + 1]
    plans.push({
      guide,
      block,
      files,
      steps: lines.map((line, index) => ({ line, wanted: index === lines.length - 1 ? wanted : 0 })),
      shown: next?.kind === "text" ? next.text : undefined,
    })
    files = []
  }
  return plans
}

/** A reader goes on when the sandbox says that it listens. */
const settle = (line: string): string => {
  const target = /^sluice sandbox .*> (\S+) &$/.exec(line)?.[1]
  return target === undefined ? "" : `until [ -s ${target} ]; do sleep 0.05; done`
}

const prepare = ({ aside, bin }: Surroundings): void => {
  mkdirSync(aside, { recursive: true })
  const file = join(aside, "sluice")
  const node = `exec ${JSON.stringify(process.execPath)} ${JSON.stringify(bin)}`
  writeFileSync(file, `#!/bin/sh\nif [ "$1" = sandbox ]; then shift; ${node} sandbox --port 0 "$@"; fi\n${node} "$@"\n`)
  chmodSync(file, 0o755)
}

/** Times and ids are others each time, and columns as wide as they are. */
export const timeless = (text: string): string =>
  text
    .replaceAll(/\d+(\.\d+)? (s|min|h)\b/g, "N $2")
    .replaceAll(/\d{8}-\d{6}-\w{6}/g, "RUN")
    .replaceAll(/\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?/g, "TIME")
    .replaceAll(/\d\d-\d\d \d\d:\d\d/g, "TIME")
    .replaceAll(/ +/g, " ")
