/** kill -9 at 50 seeded instants: whatever dies where, resumed runs end with the right contacts (B01, B02, I1 to I5). */
import type { User } from "@sluice/sandbox"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { assert, describe, it } from "vitest"
import { changesOf, contactsByUser, phantoms, pipelineOf } from "./expected.ts"
import { type Instant, type KillBench, killBench } from "./killing.ts"
import { sluice } from "./process.ts"

const USERS = 300
const KILLS = 5
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
/** A kill may cost the rows of the batch in flight, I4. */
const BATCH = 50

/** mulberry32: the same seed gives the same instants. */
const makeDice = (seed: number) => {
  let state = seed * 0x9e37_79b9
  return (below: number): number => {
    state = (state + 0x6d2b_79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}
type Dice = ReturnType<typeof makeDice>

/** `young`: the first run dies. `stirred`: and users change between runs. `aged`: and a whole run had been before. */
type Life = "young" | "stirred" | "aged"
const lifeOf = (seed: number): Life => (["aged", "young", "stirred"] as const)[seed % 3] ?? "young"

/** Anywhere in what is left of the work: requests go by pages and contacts, commits by batches. */
const pickInstant = (dice: Dice, left: number): Instant => {
  const at = (["arrives", "lost", "answered", "before", "after"] as const)[dice(5)] ?? "lost"
  if (at === "before" || at === "after") return { at, commit: 1 + dice(8 + 2 * Math.ceil(left / BATCH)) }
  return { at, request: 1 + dice(6 + Math.ceil(left * 1.1)), millis: dice(8) }
}

/** Users change behind the back of a run that died: some of those it wrote last, and later back to what they were. */
const makeTrouble = (dice: Dice, life: Life, { sandbox: { control } }: KillBench) => {
  const before = new Map<string, User>()
  let made = 0
  const disturb = (userId: string) => {
    const user = control.user(userId)
    if (user === undefined || before.has(userId)) return
    before.set(userId, user)
    made += 1
    const change = dice(2) === 0 ? { nickname: `other-${made}` } : { email: `other.${made}@example.com` }
    control.upsertUser({ user_id: userId, ...change })
  }
  const stir = () => {
    for (const [user_id, { nickname, email }] of [...before]) {
      if (dice(4) === 0) continue
      control.upsertUser({ user_id, nickname, email })
      before.delete(user_id)
    }
    for (const { key } of control.journal().slice(-8)) if (key !== undefined && dice(2) === 0) disturb(key)
    for (let count = 0; count < (life === "aged" ? 30 : 4); count++) disturb(control.userId(dice(USERS)))
  }
  return life === "young" ? () => {} : stir
}

interface Told {
  readonly kills: ReadonlyArray<Instant>
  /** Rows sent, by run. */
  readonly sent: number
}

const runUntilDone = async (bench: KillBench, seed: number): Promise<Told> => {
  const dice = makeDice(seed)
  const { control } = bench.sandbox
  const life = lifeOf(seed)
  const stir = makeTrouble(dice, life, bench)
  const moving = seed % 4 === 0
  if (moving) control.changes({ every: 4, kinds: ["login", "rename", "email", "metadata", "create"] })
  const kills: Array<Instant> = []
  let sent = 0
  const attempt = async (instant?: Instant) => {
    const from = control.journal().length
    const finished = await bench.attempt(instant)
    sent += new Set(
      control
        .journal()
        .slice(from)
        .map(({ key }) => key),
    ).size
    return finished
  }
  if (life === "aged") {
    await attempt()
    stir()
  }
  for (let attempts = 0; kills.length < KILLS; attempts++) {
    if (attempts > 3 * KILLS) throw new Error(`only ${kills.length} kills struck`)
    const left = life === "aged" ? 60 : Math.max(0, USERS - control.contacts().length)
    const instant = pickInstant(dice, left)
    const { code, stdout, stderr } = await attempt(instant)
    if (code === null) kills.push(instant)
    else assert.strictEqual(code, 0, stdout + stderr)
    stir()
  }
  control.changes(undefined)
  // What changed behind the position of a resumed scan is the next run's: its overlap reaches back that far.
  for (let last = moving || life !== "young" ? 2 : 1; last > 0; last--) {
    const { code, stdout, stderr } = await attempt()
    assert.strictEqual(code, 0, stdout + stderr)
    assertTrue(JSON.parse(stdout))
  }
  return { kills, sent }
}

/** I1 and I7: the report is ok and adds up. */
const assertTrue = (report: unknown) => {
  assert.nestedPropertyVal(report, "ok", true)
  assert.nestedPropertyVal(report, "pipelines[0].status", "completed")
  assert.nestedPropertyVal(report, "pipelines[0].routes.brevo\\.contacts.rejected", 0)
  assert.nestedPropertyVal(report, "pipelines[0].routes.brevo\\.contacts.in_doubt", 0)
  assert.nestedPropertyVal(report, "pipelines[0].routes.brevo\\.contacts.pending", 0)
}

/** Two at a time: a run that is killed leaves its core to the next. */
const turns = Semaphore.makeUnsafe(2)
const inTurn = <A>(run: () => Promise<A>): Promise<A> =>
  Effect.runPromise(Effect.promise(run).pipe(turns.withPermits(1)))

describe.concurrent("B01, B02: kill -9 anywhere", () => {
  it.each(SEEDS)("seed %i: nothing is lost, nothing made twice, nothing invented", { timeout: 300_000 }, (seed) =>
    inTurn(async () => {
      const bench = await killBench({ users: USERS, seed })
      try {
        const { kills, sent } = await runUntilDone(bench, seed)
        const story = `seed ${seed}: ${JSON.stringify(kills)}`
        const pipeline = await pipelineOf(bench.file, bench.env)
        const { control, unmodelled } = bench.sandbox
        const { expected, actual } = await contactsByUser(pipeline, bench.sandbox)
        assert.deepStrictEqual(actual, expected, story)
        const created = control.journal().filter(({ effect }) => effect === "created")
        assert.strictEqual(new Set(created.map(({ key }) => key)).size, created.length, story)
        assert.deepStrictEqual(await phantoms(pipeline, bench.sandbox), [], story)
        const again = sent - control.userCount() - changesOf(bench.sandbox)
        assert.isAtMost(again, kills.length * BATCH, story)
        assert.deepStrictEqual(unmodelled, [])
      } finally {
        await bench.close()
      }
    }),
  )

  it(
    "F01: around commits that hold dead letters: each is there once, and every user is a contact or a dead letter",
    {
      timeout: 300_000,
    },
    () =>
      inTurn(async () => {
        const bench = await killBench({ users: 90, seed: 5, messy: true })
        try {
          for (const commit of [7, 8, 9]) {
            for (const at of ["before", "after"] as const) {
              const { code, stderr } = await bench.attempt({ at, commit })
              assert.include([null, 0, 4], code, stderr)
            }
          }
          const { code, stdout } = await bench.attempt()
          assert.strictEqual(code, 4)
          assert.nestedPropertyVal(JSON.parse(stdout), "pipelines[0].status", "completed")
          const listed = await sluice(["dead-letters", "list", "--reveal", "--json", "--state", bench.state])
          const letters: ReadonlyArray<{ readonly id: string }> = JSON.parse(listed.stdout)
          const ids = [...letters.map(({ id }) => id), ...bench.sandbox.control.contacts().map(({ ext_id }) => ext_id)]
          const users = [...bench.sandbox.control.users()].map(({ user_id }) => user_id)
          assert.isAbove(letters.length, 2)
          assert.deepStrictEqual(ids.sort(), users.sort())
        } finally {
          await bench.close()
        }
      }),
  )
})
