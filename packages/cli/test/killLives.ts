/** Lives of a pipeline: runs that are killed one after the other while users change, until one may end. */
import type { User } from "@sluice/sandbox"
import { type Stage, stages } from "./killHooks.ts"
import { type Attempt, type Instant, type KillBench, killBench, type Lane } from "./killing.ts"
import { makeRival } from "./killRival.ts"

export const KILLS = 5
/** Rows of a batch: a kill may cost those in flight, I4. */
export const BATCH = 50

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

export interface Life {
  readonly lane: Lane
  readonly seed: number
  readonly users: number
  /** `young`: the first run dies. `stirred`: and users change between runs. `aged`: and a whole run had been before. */
  readonly age: "young" | "stirred" | "aged"
  /** Users change while they are read, too. */
  readonly moving: boolean
  /** What becomes of its first imports. */
  readonly fate: "drops" | "half" | "failed" | undefined
  /** Where it is killed first, in the order of a run; then anywhere. */
  readonly plan: ReadonlyArray<Instant>
}

const ages = (nth: number): Life["age"] => (["young", "stirred", "aged"] as const)[nth % 3] ?? "young"

/** Five lives pass all stages, each at one of its places; the next five at the next. */
const planOf = (dice: Dice, nth: number, users: number): ReadonlyArray<Instant> =>
  stages.flatMap((stage, place) => {
    if (place % 5 !== nth % 5) return []
    const turn = place + Math.floor(nth / 5)
    // That there is a second of a kind depends on what else there is: the first lives must not miss.
    const count = 1 + (nth < 5 ? 0 : dice(stage.most))
    return [instantAt(stage, turn, isOutcomes(stage) && users > 1000 ? 2 : count, dice(4))]
  })

const isOutcomes = (stage: Stage): boolean => "commit" in stage && stage.commit === "outcomes"

const instantAt = (stage: Stage, turn: number, count: number, millis: number): Instant =>
  "commit" in stage
    ? { at: turnOf(stage.at, turn), commit: count, hook: stage.commit }
    : { at: turnOf(stage.at, turn), request: count, millis, hook: stage.request }

const turnOf = <A>(places: ReadonlyArray<A>, turn: number): A => {
  const place = places[turn % places.length]
  if (place === undefined) throw new Error("a stage without a place")
  return place
}

const jobLife = (nth: number): Life => {
  const seed = 101 + nth
  const age = ages(nth)
  // Outcomes are committed by thousands.
  const users = nth % 5 === 1 && age !== "aged" ? 2300 : 300
  const fate = ([undefined, "drops", undefined, "half", "failed"] as const)[nth % 5]
  return { lane: "job", seed, users, age, moving: false, fate, plan: planOf(makeDice(seed), nth, users) }
}

const memoryLife = (nth: number): Life => ({
  lane: "memory",
  seed: 1 + nth,
  users: 300,
  age: ages(nth),
  moving: nth % 4 === 3,
  fate: undefined,
  plan: [],
})

/** Five of eight by jobs, so that the first eight have all stages. */
export const livesFor = (kills: number): ReadonlyArray<Life> => {
  const made = { job: 0, memory: 0 }
  return Array.from({ length: Math.ceil(kills / KILLS) }, (_, n) =>
    [2, 4, 6].includes(n % 8) ? memoryLife(made.memory++) : jobLife(made.job++),
  )
}

/** Anywhere in what is left of the work: requests go by pages and contacts, commits by batches. */
const anywhere = (dice: Dice, left: number): Instant => {
  const at = (["arrives", "lost", "answered", "before", "after"] as const)[dice(5)] ?? "lost"
  if (at === "before" || at === "after") return { at, commit: 1 + dice(8 + 2 * Math.ceil(left / BATCH)) }
  return { at, request: 1 + dice(6 + Math.ceil(left * 1.1)), millis: dice(8) }
}

/** Users change behind the back of a run that died: some of those it wrote last, and later back to what they were. */
const makeTrouble = (dice: Dice, { age, lane, users }: Life, { sandbox: { control } }: KillBench) => {
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
  const join = () => {
    made += 1
    const user_metadata = { phone: `+4915${770_000_000 + made}` }
    const [user_id, email, nickname] = [`auth0|new${made}`, `new.${made}@example.com`, `new-${made}`]
    const created_at = new Date().toISOString()
    control.upsertUser({ user_id, email, nickname, email_verified: true, user_metadata, created_at })
  }
  const stir = () => {
    for (const [user_id, { nickname, email }] of [...before]) {
      if (dice(4) === 0) continue
      control.upsertUser({ user_id, nickname, email })
      before.delete(user_id)
    }
    for (const { key } of control.journal().slice(-8)) if (key !== undefined && dice(2) === 0) disturb(key)
    for (let count = 0; count < (age === "aged" ? 30 : 4); count++) disturb(control.userId(dice(users)))
    // Only new contacts meet the rival.
    if (age === "aged" && lane === "job") for (let count = 0; count < 5; count++) join()
  }
  return age === "young" ? () => {} : stir
}

export const benchFor = ({ age, lane, plan, seed, users }: Life, state?: string): Promise<KillBench> =>
  killBench({
    users,
    state,
    seed,
    lane,
    sync: lane === "job" && age === "aged" ? "full" : "incremental",
    exportMillis: 150,
    // Not in the run that nobody kills.
    ...(plan.some(({ hook }) => hook === "report") ? { meddle: makeRival(age === "aged" ? 1 : 0) } : {}),
  })

/** Runs until all kills struck, and then until a run has seen the last change. `kills` are told as they strike. */
export const live = async (
  life: Life,
  bench: KillBench,
  kills: Array<Instant>,
  judge: (attempt: Attempt) => void,
): Promise<void> => {
  const dice = makeDice(life.seed)
  const { control } = bench.sandbox
  const stir = makeTrouble(dice, life, bench)
  const attempt = async (instant?: Instant) => {
    // Where nobody knows whether there is an import, it is still to come when the next run looks.
    control.importsTake(instant?.hook === "submit" || instant?.hook === "ref" ? 3000 : 400)
    const made = await bench.attempt(instant)
    if (instant !== undefined && made.code === null) kills.push(instant)
    judge(made)
  }

  if (life.moving) control.changes({ every: 4, kinds: ["login", "rename", "email", "metadata", "create"] })
  if (life.age === "aged") {
    await attempt()
    stir()
  }
  if (life.fate !== undefined) {
    control.faults.add({ vendor: "brevo", times: 2, fault: { kind: "import", fate: life.fate } })
  }
  const ahead = [...life.plan]
  for (let tries = 0; kills.length < KILLS; tries++) {
    if (tries > 4 * KILLS) throw new Error(`only ${kills.length} kills struck`)
    const left = life.age === "aged" ? 60 : Math.max(0, life.users - control.contacts().length)
    await attempt(ahead.shift() ?? anywhere(dice, left))
    stir()
  }
  control.changes(undefined)
  // What changed behind the position of a resumed scan is the next run's: its overlap reaches back that far.
  for (let last = life.moving || life.age !== "young" ? 2 : 1; last > 0; last--) await attempt()
}
