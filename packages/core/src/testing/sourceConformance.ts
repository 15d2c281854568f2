/** What the engine relies on in every source's reader, as cases for any test runner. */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type { SourceReason } from "../plugin/errors.ts"
import { type ConformanceCase, type ConformanceError, expect, fail, onClock, unexpected } from "./case.ts"
import { configCases, hides, secretsOf } from "./configCases.ts"
import { type Fault, status } from "./faulty.ts"
import { openOrigin, type Scanned, type SourceBench, type SourceConformance, saved } from "./sourceBench.ts"

/** The cases. With vitest: `for (const { title, effect } of cases) it.effect(title, () => effect)`. */
export const sourceConformance = (suite: SourceConformance<unknown>): ReadonlyArray<ConformanceCase> => {
  const { source, config, stream } = suite
  const options = Object.hasOwn(source.streams, stream) ? source.streams[stream]?.options : undefined
  const reading = (title: string, body: Body) => onClock(title, Effect.flatMap(openOrigin(suite), body))
  const throttled: Fault = {
    kind: "answer",
    answer: suite.throttled ?? { status: 429, body: {}, headers: { "retry-after": "7" } },
  }
  return [
    ...configCases({
      section: "sources",
      plugin: { source },
      schema: source.config,
      config,
      options: options ?? Schema.Unknown,
    }),
    reading("the account is the same each time", sameAccount),
    reading("a scan that ends has every key, once", whole),
    reading("records fit the stream's schema", fit),
    reading("only the fields that were asked for are handed over, as they are", chosen),
    reading("a scan from each position has exactly the rest", resumes),
    reading("a full scan that ended has nothing left", ended),
    reading("an incremental scan brings what changed since the last", changes),
    reading("rule 6: a preview reads, and starts nothing", previews),
    reading("a scan for keys has the same keys", keysOnly),
    reading("what is found by key is what the scan has", found),
    reading("rule 6: an estimate writes nothing and counts right", estimated),
    ...mishaps(throttled).map(([name, fault]) =>
      reading(`${name} in a scan: it recovers or fails as it should`, strikes(fault)),
    ),
    reading("access tokens that expire in a scan are renewed", expires),
    reading("a wait that the vendor asks for is kept", waits(throttled)),
    reading("401 is Unauthorized", fails(status(401), ["Unauthorized"])),
    reading("403 is Forbidden", fails(status(403), ["Forbidden"])),
    reading("429 without an end is RateLimited", fails(throttled, ["RateLimited"])),
    reading("503 is Unavailable", fails(status(503), ["Unavailable"])),
    reading("a cut connection is Unavailable", fails({ kind: "cut" }, ["Unavailable"])),
    reading(
      "an answer that is no JSON is not taken for the end",
      fails({ kind: "not_json" }, ["Protocol", "Unavailable"]),
    ),
    reading(
      "an answer of another shape is not taken for the end",
      fails({ kind: "odd_json" }, ["Protocol", "Unavailable"]),
    ),
    reading("an interruption abandons the request", interruption),
  ]
}

type Body = (bench: SourceBench) => Effect.Effect<unknown, ConformanceError, Scope>

const mishaps = (throttled: Fault): ReadonlyArray<readonly [name: string, fault: Fault]> => [
  ["429", throttled],
  ["500", status(500)],
  ["503", status(503)],
  ["a cut connection", { kind: "cut" }],
  ["a lost answer", { kind: "lost" }],
  ["an answer that is no JSON", { kind: "not_json" }],
  ["an answer of another shape", { kind: "odd_json" }],
]

/** Requests of a scan that a fault strikes, one scan each. */
const STRUCK = [0, 1, 2, 3]

const missingOf = (expected: Iterable<string>, got: ReadonlyArray<string>) => {
  const have = new Set(got)
  return [...expected].filter((key) => !have.has(key))
}

const noneMissing = (expected: Iterable<string>, got: ReadonlyArray<string>, what: string) => {
  const missing = missingOf(expected, got)
  return expect(missing.length === 0, `${what} lacks ${missing.length} records, ${missing[0]} first`)
}

const twiceIn = (keys: ReadonlyArray<string>) => keys.find((key, at) => keys.indexOf(key) !== at)

const complete = Effect.fnUntraced(function* (bench: SourceBench, { keys }: Scanned, what: string) {
  yield* noneMissing(bench.origin.keys(), keys, what)
  const repeated = twiceIn(keys)
  yield* expect(repeated === undefined, `${what} has ${repeated} twice`)
  yield* expect(keys.length === bench.origin.keys().length, `${what} has records that are not at the source`)
})

const sameAccount = Effect.fnUntraced(function* (bench: SourceBench) {
  const identify = Effect.flatMap(bench.open, (reader) => reader.identify.pipe(Effect.mapError(unexpected("identify"))))
  const [first, second] = [yield* identify, yield* identify]
  yield* expect(first.account === second.account && first.account !== "", "two connections have two accounts, or none")
  yield* hides(secretsOf(bench.suite), JSON.stringify([first, second]), "the identity")
})

const whole = Effect.fnUntraced(function* (bench: SourceBench) {
  const scanned = yield* bench.scan()
  yield* complete(bench, scanned, "the scan")
  const pages = scanned.pages.filter(({ records }) => records.length > 0).length
  yield* expect(pages >= 3, `the origin must have records for three pages, not ${pages}`)
  const longest = Math.max(...scanned.pages.map(({ records }) => records.length))
  yield* expect(longest <= 10_000, `a page of ${longest} records does not fit the memory bound`)
})

const fit = Effect.fnUntraced(function* (bench: SourceBench) {
  if (bench.suite.untidy === true) return "the records are not tidy"
  const { pages } = yield* bench.scan({ fields: "all" })
  const decode = Schema.decodeUnknownResult(bench.spec.record)
  for (const record of pages.flatMap(({ records }) => records)) {
    const { change, data, key, version } = record
    const decoded = change === "delete" ? undefined : decode(data)
    if (decoded !== undefined && Result.isFailure(decoded)) {
      return yield* fail(`the record ${key} does not fit its schema: ${decoded.failure.message}`)
    }
    yield* expect(key !== "" && version !== "", "a record has an empty key or version")
    yield* expect(change === "delete" || data[bench.suite.key] === key, `${bench.suite.key} is not the key of ${key}`)
    yield* expect(Equal.equals(JSON.parse(JSON.stringify(data)), data), `the data of ${key} is no JSON`)
  }
})

const chosen = Effect.fnUntraced(function* (bench: SourceBench) {
  const all = yield* bench.scan({ fields: "all" })
  const full = new Map(all.pages.flatMap(({ records }) => records.map((record) => [record.key, record.data] as const)))
  const asked = [...bench.suite.fields, ...(bench.suite.own ?? [])]
  const { pages } = yield* bench.scan()
  for (const { key, data } of pages.flatMap(({ records }) => records)) {
    for (const field of bench.suite.fields) {
      yield* expect(
        Equal.equals(data[field], full.get(key)?.[field]),
        `${field} of ${key} differs when it is asked for`,
      )
    }
    const unasked = Object.keys(data).find((field) => !asked.includes(field))
    yield* expect(unasked === undefined, `P06: ${unasked} was not asked for and is handed over`)
  }
})

const resumes = Effect.fnUntraced(function* (bench: SourceBench) {
  const { pages } = yield* bench.scan()
  const done = new Set<string>()
  for (const [at, { position, records }] of pages.entries()) {
    for (const { key } of records) done.add(key)
    const rest = bench.origin.keys().filter((key) => !done.has(key))
    const what = `the scan from the position of page ${at + 1} of ${pages.length}`
    const { keys } = yield* bench.scan({ from: saved(position) })
    yield* noneMissing(rest, keys, what)
    const again = keys.filter((key) => done.has(key)).length
    yield* expect(again <= (bench.suite.repeats ?? 0), `${what} has ${again} records again`)
    const repeated = twiceIn(keys)
    yield* expect(repeated === undefined, `${what} has ${repeated} twice`)
  }
})

const ended = Effect.fnUntraced(function* (bench: SourceBench) {
  if (!bench.spec.modes.includes("full")) return "it has no full scan"
  const { pages } = yield* bench.scan()
  const { keys } = yield* bench.scan({ from: saved(pages.at(-1)?.position) })
  yield* expect(keys.length === 0, `a scan from the end has ${keys.length} records`)
})

const changes = Effect.fnUntraced(function* (bench: SourceBench) {
  const { origin, spec } = bench
  if (!spec.modes.includes("incremental")) return "it has no incremental scan"
  if (origin.touch === undefined) return "its origin cannot change a record"
  const first = yield* bench.scan({ sync: "incremental" })
  yield* complete(bench, first, "the first incremental scan")
  let from = saved(first.pages.at(-1)?.position)
  const all = origin.keys()
  for (const at of [0, Math.floor(all.length / 2), all.length - 1]) {
    yield* TestClock.adjust("1 hour")
    const key = all[at] ?? ""
    origin.touch(key)
    const { keys, pages } = yield* bench.scan({ sync: "incremental", from })
    yield* expect(keys.includes(key), `${key} changed and the next incremental scan lacks it`)
    yield* expect(keys.length < all.length, "the next incremental scan reads everything again")
    from = Option.orElse(saved(pages.at(-1)?.position), () => from)
  }
})

const previews = Effect.fnUntraced(function* (bench: SourceBench) {
  const { origin } = bench
  const reader = yield* bench.open
  const before = origin.writes()
  bench.faulty.set(undefined)
  const records = yield* reader.read(bench.request({ purpose: "preview" })).pipe(
    Stream.map((page) => page.records),
    Stream.flattenIterable,
    Stream.take(3),
    Stream.runCollect,
    Effect.mapError(unexpected("the preview")),
  )
  yield* expect(records.length === 3, `a preview of three records has ${records.length}`)
  yield* expect(origin.writes() === before, "the preview started something at the vendor")
  yield* expect(bench.faulty.requests() <= 10, `a preview of three records took ${bench.faulty.requests()} requests`)
  yield* noneMissing(
    records.map(({ key }) => key),
    origin.keys(),
    "the source",
  )
})

const keysOnly = Effect.fnUntraced(function* (bench: SourceBench) {
  yield* complete(bench, yield* bench.scan({ purpose: "keys" }), "the scan for keys")
})

const found = Effect.fnUntraced(function* (bench: SourceBench) {
  const reader = yield* bench.open
  const { find, findBy = [] } = reader
  if (find === undefined) return "it finds no single records"
  yield* expect(findBy.includes("key"), "it finds records, and not by `key`")
  const { pages } = yield* bench.scan()
  // A scan may have started an export.
  const before = bench.origin.writes()
  const records = pages.flatMap((page) => page.records)
  const sample = [records[0], records[Math.floor(records.length / 2)], records.at(-1)]
  for (const record of sample.filter((each) => each !== undefined)) {
    const one = yield* findKey(bench, reader, record.key)
    yield* expect(one.length === 1, `${one.length} records are found for the key ${record.key}`)
    yield* expect(
      one[0]?.key === record.key && one[0].version === record.version && Equal.equals(one[0].data, record.data),
      `${record.key} is found otherwise than it is scanned`,
    )
  }
  const nobody = yield* findKey(bench, reader, `${bench.origin.keys()[0]}-nobody`)
  yield* expect(nobody.length === 0, "a key that nobody has is found")
  yield* expect(bench.origin.writes() === before, "finding wrote something")
})

const findKey = ({ request }: SourceBench, reader: SourceBenchReader, value: string) =>
  (reader.find?.(request(), { field: "key", value }) ?? Effect.succeed([])).pipe(Effect.mapError(unexpected("find")))

type SourceBenchReader = Effect.Success<SourceBench["open"]>

const estimated = Effect.fnUntraced(function* (bench: SourceBench) {
  const reader = yield* bench.open
  if (reader.estimate === undefined) return "it gives no estimate"
  const before = bench.origin.writes()
  bench.faulty.set(undefined)
  const { calls, records } = yield* reader.estimate(bench.request()).pipe(Effect.mapError(unexpected("the estimate")))
  const asked = bench.faulty.requests()
  const all = bench.origin.keys().length
  yield* expect(bench.origin.writes() === before, "an estimate wrote something")
  yield* expect(asked <= 3, `an estimate took ${asked} requests`)
  yield* expect(records === undefined || records === all, `it estimates ${records} records of ${all}`)
  bench.faulty.set(undefined)
  yield* bench.scan()
  const took = bench.faulty.requests()
  yield* expect(calls >= took / 3 && calls <= took * 3, `it estimates ${calls} calls, and a scan took ${took}`)
})

/** Struck once: the scan is whole, or says what happened and is whole from where it stopped. */
const strikes =
  (fault: Fault): Body =>
  (bench) =>
    Effect.gen(function* () {
      for (const skip of STRUCK) {
        bench.faulty.set(fault, { skip, times: 1 })
        const first = yield* bench.attempt()
        bench.faulty.set(undefined)
        if (first.error === undefined) {
          yield* complete(bench, first, `the scan whose request ${skip + 1} was struck`)
          continue
        }
        const { _tag } = first.error.reason
        yield* expect(
          ["Unavailable", "RateLimited", "Protocol", "PositionLost"].includes(_tag),
          `a passing fault is ${_tag}: ${first.error.message}`,
        )
        const rest = yield* bench.scan({ from: saved(first.pages.at(-1)?.position) })
        yield* noneMissing(bench.origin.keys(), [...first.keys, ...rest.keys], "the scan and its rest")
      }
    })

const expires = Effect.fnUntraced(function* (bench: SourceBench) {
  const { expire } = bench.origin
  if (expire === undefined) return "it has no access tokens"
  const reader = yield* bench.open
  const keys: Array<string> = []
  yield* reader.read(bench.request()).pipe(
    Stream.runForEach(({ records }) =>
      Effect.sync(() => {
        keys.push(...records.map(({ key }) => key))
        expire()
      }),
    ),
    Effect.mapError(unexpected("the scan after the token had expired")),
  )
  yield* complete(bench, { keys, pages: [] }, "the scan with new tokens")
})

const waits =
  (throttled: Fault): Body =>
  (bench) =>
    Effect.gen(function* () {
      bench.faulty.set(throttled, { skip: 2, times: 1 })
      const { error } = yield* bench.attempt()
      const pause = bench.faulty.pause()
      if (error?.reason._tag === "RateLimited") {
        yield* expect(error.reason.retryAfterMillis >= 7000, `it asks for ${error.reason.retryAfterMillis} ms`)
        return
      }
      if (pause === undefined) return yield* fail("nothing was sent after the 429")
      yield* expect(pause >= 7000 && pause <= 60_000, `the next call came after ${pause} ms, not after seven seconds`)
    })

/** A vendor that keeps failing from the second page on ends in one of these reasons, never in a short scan. */
const fails =
  (fault: Fault, reasons: ReadonlyArray<SourceReason["_tag"]>): Body =>
  (bench) =>
    Effect.gen(function* () {
      bench.faulty.set(fault, { skip: 2 })
      const { error } = yield* bench.attempt()
      if (error === undefined) return yield* fail("the scan ended as if it were complete")
      const { _tag } = error.reason
      yield* expect(reasons.includes(_tag), `the reason is ${_tag}, not ${reasons.join(" or ")}`)
      yield* hides(secretsOf(bench.suite), `${error.message} ${JSON.stringify(error)}`, "an error")
    })

const interruption = Effect.fnUntraced(function* (bench: SourceBench) {
  bench.faulty.set({ kind: "silent" })
  const reader = yield* bench.open
  // Detached, and not waited for: a scan that cannot be interrupted must not hold the case up.
  const fiber = yield* Effect.forkDetach(Stream.runDrain(reader.read(bench.request())))
  yield* TestClock.adjust("1 second")
  yield* Effect.sync(() => fiber.interruptUnsafe())
  yield* TestClock.adjust("1 second")
  yield* expect(bench.faulty.abandoned() === 1, "the request was not given up when the scan was interrupted")
})
