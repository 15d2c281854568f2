/** The help of every command, as data: asked from the command line itself. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import type { HelpDoc } from "effect/cli/HelpDoc"
import * as Effect from "effect/Effect"
import { sluice } from "../src/command.ts"
import { builtIns } from "../src/globalFlags.ts"
import { Host } from "../src/host.ts"
import { plain } from "../src/render/text.ts"
import { VERSION } from "../src/version.ts"

/** Help is given before a command runs, so nothing of this is used. */
const nowhere: Host["Service"] = {
  env: {},
  out: () => Effect.void,
  err: () => Effect.void,
  outPage: { width: 100, style: plain },
  errPage: { width: 100, style: plain },
  live: false,
  asks: false,
  setExit: () => Effect.void,
  stopRequested: Effect.never,
  drains: () => Effect.void,
  signal: Effect.undefined,
}

const helpOf = (path: ReadonlyArray<string>): Effect.Effect<HelpDoc> =>
  Effect.gen(function* () {
    const found: Array<HelpDoc> = []
    const presenter: CliOutput.Presenter = {
      present: (event) => Effect.sync(() => void (event._tag === "Help" && found.push(event.helpDoc))),
    }
    yield* Command.runWith(sluice, { version: VERSION })([...path, "--help"]).pipe(
      Effect.provideService(CliOutput.Presenter, presenter),
      Effect.provideService(CliConfig.CliConfig, { builtIns: builtIns(nowhere) }),
      Effect.provideService(Host, nowhere),
      Effect.provide(NodeServices.layer),
      Effect.orDie,
    )
    return found[0] ?? (yield* Effect.die(new Error(`no help for ${path.join(" ")}`)))
  })

export interface CommandHelp {
  /** `sluice dead-letters list` */
  readonly name: string
  readonly help: HelpDoc
}

/** All commands that do something, in the order of `--help`. */
const commandsBelow = (path: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<CommandHelp>> =>
  Effect.gen(function* () {
    const help = yield* helpOf(path)
    const names = (help.subcommands ?? []).flatMap(({ commands }) => commands.map(({ name }) => name))
    if (names.length === 0) return [{ name: ["sluice", ...path].join(" "), help }]
    return (yield* Effect.forEach(names, (name) => commandsBelow([...path, name]))).flat()
  })

export const commands = commandsBelow([])
