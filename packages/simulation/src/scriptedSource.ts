/** A source plugin over scripted people: keyset pages that move while they are read, an index that lags, faults. */
import {
  type Page,
  PositionLost,
  RateLimited,
  type ScanRequest,
  type Source,
  SourceError,
  type SourceRecord,
  Unavailable,
} from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Dice } from "./dice.ts"
import type { Machine } from "./machine.ts"
import { dataOf, iso, type People, type Person } from "./people.ts"

export interface SourceScript {
  readonly machine: Machine
  readonly people: People
  readonly dice: Dice
  readonly pageSize: number
  readonly hasFind: boolean
  /** The longest that search may lag behind, in milliseconds. */
  readonly lagMillis: () => number
  /** Probability that a full scan misses a user who is there. Only where the engine can ask for one. */
  readonly holes: () => number
  /** Probability that a call fails. */
  readonly faults: () => number
  readonly latencyMillis: () => number
  /** Called after each page: users change while they are read. */
  readonly turned: () => void
  /** A scan from the beginning. */
  readonly began: () => void
  /** A page was handed to the engine. */
  readonly handed: (page: Page) => void
}

const Position = Schema.Struct({ at: Schema.Int, key: Schema.String, start: Schema.Int })
type Position = typeof Position.Type

const byPlace = (place: (person: Person) => number) => (a: Person, b: Person) =>
  place(a) - place(b) || (a.user_id < b.user_id ? -1 : 1)

const recordOf = (person: Person): SourceRecord => ({
  key: person.user_id,
  change: "upsert",
  version: iso(person.updated),
  data: dataOf(person),
})

export const scriptedSource = (script: SourceScript): Source => {
  const { machine, people, dice } = script

  const call = <A>(label: string, canLose: boolean, answer: () => A): Effect.Effect<A, SourceError> =>
    Effect.gen(function* () {
      yield* Effect.sleep(script.latencyMillis())
      const answered = yield* machine.operation(
        label,
        Effect.sync(() => (dice.chance(script.faults()) ? undefined : { answer: answer() })),
      )
      if (answered !== undefined) return answered.answer
      const draw = dice.below(canLose ? 5 : 4)
      if (draw === 4) return yield* new SourceError({ reason: new PositionLost({ message: "position lost" }) })
      return yield* new SourceError({
        reason:
          draw === 3
            ? new RateLimited({ message: "slow down", retryAfterMillis: 1500 })
            : new Unavailable({ message: "away", inDoubt: false }),
      })
    })

  /** With all that search can miss, an engine that may ask for one must not believe it. */
  const isMissed = (request: ScanRequest, person: Person): boolean =>
    script.hasFind &&
    request.sync === "full" &&
    dice.chance(script.holes()) &&
    dice.pick(people.ids()) === person.user_id

  const read = (request: ScanRequest): Stream.Stream<Page, SourceError> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const place = request.sync === "full" ? (person: Person) => person.created : (person: Person) => person.updated
        const from = Option.isSome(request.from)
          ? yield* Schema.decodeUnknownEffect(Position)(request.from.value).pipe(Effect.orDie)
          : undefined
        if (from === undefined) script.began()
        // An incremental scan that ended starts anew from its last position, which is told by an empty key.
        const start = from === undefined || from.key === "" ? machine.now() : from.start
        const first: Position = { at: from?.at ?? 0, key: from?.key ?? "", start }
        return Stream.paginate(first, (after) =>
          Effect.gen(function* () {
            const canLose = Option.isSome(request.from) && after === first
            const found = yield* call(`page after ${after.at} ${after.key}`, canLose, () =>
              people
                .visible()
                .filter((person) => !isMissed(request, person))
                .filter(
                  (person) => place(person) > after.at || (place(person) === after.at && person.user_id > after.key),
                )
                .sort(byPlace(place))
                .slice(0, script.pageSize),
            )
            const last = found.at(-1)
            const isEnd = found.length < script.pageSize || last === undefined
            const next: Position = last === undefined ? after : { at: place(last), key: last.user_id, start }
            const end: Position =
              request.sync === "full" ? next : { at: Math.max(0, start - script.lagMillis() - 1), key: "", start }
            const page: Page = { records: found.map(recordOf), position: isEnd ? end : next }
            if (request.purpose === "run") script.handed(page)
            script.turned()
            return [[page], isEnd ? Option.none() : Option.some(next)] as const
          }),
        )
      }),
    )

  return {
    name: "scripted",
    config: Schema.Struct({}),
    streams: {
      users: {
        description: "People.",
        options: Schema.Struct({}),
        record: Schema.Unknown,
        modes: ["full", "incremental"],
        snapshot: true,
      },
    },
    open: () =>
      Effect.succeed({
        identify: call("identify source", false, () => ({ account: "tenant", label: "tenant" })),
        ...(script.hasFind
          ? {
              findBy: ["key"],
              find: (_: ScanRequest, by: { readonly value: string }) =>
                call(`find ${by.value}`, false, () => {
                  const person = people.current(by.value)
                  return person === undefined ? [] : [recordOf(person)]
                }),
            }
          : {}),
        read,
      }),
  }
}
