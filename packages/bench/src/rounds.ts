/** Variants measured in turns, A B C A B C …, so that what disturbs the machine disturbs all of them. */
import { performance } from "node:perf_hooks"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { arrived, reset, type Settings } from "./counterpart/control.ts"

export interface Variant {
  readonly name: string
  readonly settings: Partial<Settings> & Pick<Settings, "users">
  /** Rows that have to arrive; a variant that loses or repeats one is not measured but refused. */
  readonly rows: number
  readonly run: () => Promise<unknown>
}

export interface Sample {
  readonly seconds: number
  /** Of all threads of this process. */
  readonly cpuSeconds: number
}

export interface Measured {
  readonly users: number
  readonly seconds: number
  /** Microseconds. */
  readonly cpuPerUser: number
  readonly perSecond: number
}

export const median = (numbers: ReadonlyArray<number>): number => {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

setFlagsFromString("--expose-gc")
/** Whoever runs next would else pay for what was left. */
const collectGarbage: () => void = runInNewContext("gc")

const sample = async (origin: string, variant: Variant): Promise<Sample> => {
  await reset(origin, variant.settings)
  collectGarbage()
  const cpu = process.cpuUsage()
  const start = performance.now()
  await variant.run()
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const { keys, rows } = await arrived(origin)
  // The same page is written over and over where only the writing is measured.
  if (rows !== variant.rows || keys > rows) {
    throw new Error(`${variant.name}: ${rows} rows arrived, ${keys} of them different, instead of ${variant.rows}`)
  }
  return { seconds, cpuSeconds: (user + system) / 1e6 }
}

/** Runs all variants so many times, after one time to warm up; gives the medians by name. */
export const measure = async (
  origin: string,
  variants: ReadonlyArray<Variant>,
  rounds: number,
): Promise<(name: string) => Measured> => {
  const samples = new Map<string, Array<Sample>>()
  for (let round = 0; round <= rounds; round++) {
    for (const variant of variants) {
      const found = await sample(origin, variant)
      if (round > 0) samples.set(variant.name, [...(samples.get(variant.name) ?? []), found])
    }
  }
  return (name) => {
    const found = samples.get(name) ?? []
    const users = variants.find((variant) => variant.name === name)?.settings.users ?? Number.NaN
    const seconds = median(found.map((each) => each.seconds))
    const cpuPerUser = (median(found.map((each) => each.cpuSeconds)) / users) * 1e6
    return { users, seconds, cpuPerUser, perSecond: users / seconds }
  }
}
