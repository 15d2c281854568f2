/** How long the command line takes to start, by the measurement that lies beside it. */
import { join } from "node:path"
import * as Schema from "effect/Schema"
import type { Line } from "../line.ts"
import { output, root } from "../processes.ts"

const Lines = Schema.Array(
  Schema.Struct({
    name: Schema.String,
    measured: Schema.Finite,
    unit: Schema.Literal("×"),
    better: Schema.Literal("less"),
    floor: Schema.optionalKey(Schema.Finite),
    aim: Schema.optionalKey(Schema.Finite),
    detail: Schema.String,
  }),
)
const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Lines))

const script = join(root, "packages/cli/bench/startup.ts")

export const startup = async (): Promise<ReadonlyArray<Line>> => decode(await output(script, ["--json"]))
