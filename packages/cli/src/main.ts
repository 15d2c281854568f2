/** Runs the command line as this process. */
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { sluice } from "./command.ts"
import { withSubcommand } from "./commandLine.ts"
import { EXIT } from "./exit.ts"
import { reportFailure } from "./failures.ts"
import { builtIns, isDebug, isPlain } from "./globalFlags.ts"
import { Host, runProcess } from "./host.ts"
import { idleServices } from "./idleServices.ts"
import { tuneCollector } from "./node/collector.ts"
import { fitHelp, renderMisuse } from "./render/usage.ts"
import { VERSION } from "./version.ts"

/** Help goes to standard output; what is wrong with a command line goes to standard error, without the help. */
const presenter = (host: Host["Service"]): CliOutput.Presenter => {
  const formatter = CliOutput.defaultFormatter({ colors: host.outPage.style.bold("") !== "" })
  return {
    present: (event) => {
      switch (event._tag) {
        case "Help":
          return host.out(`${fitHelp(formatter.formatHelpDoc(event.helpDoc), host.outPage.width)}\n`)
        case "Version":
          return host.out(`${event.name} ${event.version}\n`)
        case "InvalidInvocation":
          return host.err(`${renderMisuse(event.errors, event.commandPath.join(" "), host.errPage)}\n`)
      }
    },
  }
}

const program = (args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const host = yield* Host
    const cli = Command.runWith(sluice, { version: VERSION })(withSubcommand(args)).pipe(
      Effect.catchIf(CliError.isCliError, (error) =>
        error._tag === "ShowHelp" && error.errors.length === 0 ? Effect.void : host.setExit(EXIT.invalid),
      ),
      Effect.provideService(CliOutput.Presenter, presenter(host)),
      Effect.provideService(CliConfig.CliConfig, { builtIns: builtIns(host) }),
      Effect.provide(idleServices),
    )
    yield* reportFailure(cli, args.includes("--json") ? "result" : "pretty")
  })

tuneCollector()
const args = process.argv.slice(2)
runProcess(program(args), { plain: isPlain(args), debug: isDebug(args) })
