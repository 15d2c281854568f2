/** Variants measured in turns, AA BB CC AA BB CC …, so that what disturbs the machine disturbs all of them. */
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

/** One run of one variant. */
export interface Sample {
  readonly seconds: number
  readonly usersPerSecond: number
  /** CPU of all threads of this process, in microseconds. */
  readonly cpuPerUser: number
}

/** The runs of one round, by the name of the variant. */
export type Round = (name: string) => Sample

/** The median over all rounds of a number that is made of each. */
export type Median = (of: (round: Round) => number) => number

export const median = (numbers: ReadonlyArray<number>): number => {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

setFlagsFromString("--expose-gc")
/** A variant would else pay for what the one before it left. */
const collectGarbage: () => void = runInNewContext("gc")

const sample = async (origin: string, variant: Variant): Promise<Sample> => {
  await reset(origin, variant.settings)
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
  const { users } = variant.settings
  return { seconds, usersPerSecond: users / seconds, cpuPerUser: (user + system) / users }
}

/**
 * Each variant runs twice and the second counts: with the garbage of the others V8 drops what it had compiled for this
 * one, by shapes of rows that none was left of, and a program that runs Sluice alone compiles once. Waiting warms nothing.
 */
const warmSample = async (origin: string, variant: Variant): Promise<Sample> => {
  collectGarbage()
  await sample(origin, { ...variant, settings: { ...variant.settings, latency: 0 } })
  return sample(origin, variant)
}

/** Runs all variants so many times. What is compared is so within a round, as the pace of the machine changes. */
export const measure = async (origin: string, variants: ReadonlyArray<Variant>, rounds: number): Promise<Median> => {
  const found: Array<Round> = []
  for (let round = 0; round < rounds; round++) {
    const samples = new Map<string, Sample>()
    for (const variant of variants) samples.set(variant.name, await warmSample(origin, variant))
    found.push((name) => {
      const sampled = samples.get(name)
      if (sampled === undefined) throw new Error(`the bench has no variant ${name}`)
      return sampled
    })
  }
  return (of) => median(found.map(of))
}
