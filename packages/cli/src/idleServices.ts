/** What effect/cli asks for and no command of ours uses: prompts, file arguments, other programs. Node's own cost 10 ms. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import * as Stdio from "effect/Stdio"
import * as Terminal from "effect/Terminal"

const unused = Effect.die(new Error("the command line neither prompts nor starts programs"))

const terminal = Terminal.make({
  columns: unused,
  rows: unused,
  size: unused,
  readInput: unused,
  readLine: unused,
  display: () => unused,
})

export const idleServices = Layer.mergeAll(
  FileSystem.layerNoop({}),
  Path.layer,
  Stdio.layerTest({}),
  Layer.succeed(Terminal.Terminal)(terminal),
  Layer.succeed(ChildProcessSpawner.ChildProcessSpawner)(ChildProcessSpawner.make(() => unused)),
)
