/** Live heap of a run over many users against a run over few, each in a process of its own. */
import { join } from "node:path"
import * as Schema from "effect/Schema"
import type { Bench } from "../bench.ts"
import { type Line, whole } from "../line.ts"
import { output } from "../processes.ts"

export const Live = Schema.Struct({ bytes: Schema.Int, rows: Schema.Int })
const decodeLive = Schema.decodeUnknownSync(Schema.fromJsonString(Live))

const script = join(import.meta.dirname, "../heapOf.ts")

const liveHeap = async ({ newState, origin }: Bench, users: number): Promise<number> => {
  const { bytes, rows } = decodeLive(
    await output(script, [origin, newState(), String(users)], { flags: ["--expose-gc"] }),
  )
  if (rows !== users) throw new Error(`${rows} rows arrived of ${users}`)
  return bytes
}

export const heap = async (bench: Bench): Promise<ReadonlyArray<Line>> => {
  const many = bench.size === "full" ? 1_000_000 : 50_000
  const few = 10_000
  const small = await liveHeap(bench, few)
  const large = await liveHeap(bench, many)
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1)
  return [
    {
      name: `live heap at ${whole(many)} users against ${whole(few)}`,
      measured: large / small,
      unit: "×",
      better: "less",
      floor: 1.1,
      aim: 1.02,
      detail: `${mib(large)} against ${mib(small)} MiB, the median of 20 collections in the run's last half`,
    },
  ]
}
