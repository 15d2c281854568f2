/** Preview, connected check and masking over a scripted source and sink. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { checkConnected } from "../../src/engine/check/check.ts"
import { mask, maskKey } from "../../src/engine/preview/mask.ts"
import { preview } from "../../src/engine/preview/preview.ts"
import type { RowPreview } from "../../src/engine/preview/previewReport.ts"
import { SinkError, Unauthorized } from "../../src/plugin/errors.ts"
import type { Field, Held } from "../../src/plugin/sink.ts"
import { type FakeSink, fakeSink, fakeSource, pipelineOf, record, services } from "./fakes.ts"

const field = (name: string, more: Partial<Field> = {}): Field => ({ name, type: "text", writable: true, ...more })
const all = { limit: 10, ids: [], emails: [], reveal: true }

const holding = (contents: { readonly [key: string]: Held }) => ({
  lookup: (keys: ReadonlyArray<string>) =>
    Effect.succeed(
      new Map(keys.flatMap((key) => (contents[key] === undefined ? [] : [[key, contents[key]] as const]))),
    ),
})

const shown = Effect.fnUntraced(function* (sink: FakeSink, records = [record("a", { name: "Ann" })], options = all) {
  const map = { id: "id", name: "name", tags: { from: "tags", as: "list" as const } }
  const pipeline = pipelineOf(fakeSource([records]), { fake: { sink, map, where: "$not(hidden = true)" } })
  const report = yield* preview(pipeline, options)
  assert.strictEqual(sink.batches.length, 0, "rule 6")
  const rows = report.records.map((each) => each.routes["fake.things"])
  return { report, rows, row: rows[0] }
}, Effect.provide(services()))

const named = (row: RowPreview | undefined, name: string) => row?.fields.find((each) => each.field === name)

describe("preview", () => {
  it.effect("rule 5: absent, null and value stay apart on both sides", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.writer = holding({ a: { remoteId: "1", fields: { id: "a", name: "Old", tags: ["x"] } } })
      const absent = yield* shown(sink, [record("a")])
      assert.deepStrictEqual(named(absent.row, "name"), {
        source: "name",
        field: "name",
        before: "Old",
        changed: false,
      })
      const cleared = yield* shown(sink, [record("a", { name: null })])
      const expected = { source: "name", field: "name", before: "Old", after: null, changed: true }
      assert.deepStrictEqual(named(cleared.row, "name"), expected)
      const set = yield* shown(sink, [record("a", { name: "New" })])
      assert.deepStrictEqual(named(set.row, "name"), { ...expected, after: "New" })
      assert.strictEqual(set.row?.action, "change")
    }),
  )

  it.effect("clearing what is not there changes nothing", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.writer = holding({ a: { remoteId: "1", fields: { id: "a" } } })
      assert.strictEqual((yield* shown(sink, [record("a", { name: null })])).row?.action, "leave")
    }),
  )

  it.effect("the order of a list is the destination's", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.writer = {
        ...holding({ a: { remoteId: "1", fields: { id: "a", tags: ["y", "x"] } } }),
        fields: Effect.succeed([field("id"), field("name"), field("tags", { type: "list" })]),
      }
      assert.strictEqual((yield* shown(sink, [record("a", { tags: ["x", "y"] })])).row?.action, "leave")
      assert.strictEqual((yield* shown(sink, [record("a", { tags: ["x"] })])).row?.action, "change")
    }),
  )

  it.effect("says what is created, sent blindly, filtered, held and refused, and why", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      assert.strictEqual((yield* shown(sink)).row?.action, "send")
      sink.writer = holding({ b: { remoteId: "2", fields: { id: "b" }, held: "unsubscribed" } })
      const records = [record("a"), record("b"), record("c", { hidden: true }), record("d", { id: "a" })]
      const { rows, report } = yield* shown(sink, records)
      assert.deepStrictEqual(
        rows.map((row) => row?.action),
        ["create", "hold", "filter", "refuse"],
      )
      assert.deepStrictEqual(rows[1]?.reasons, [{ code: "held", message: "unsubscribed" }])
      assert.strictEqual(rows[3]?.reasons[0]?.code, "key_conflict")
      assert.isFalse(report.ok)
    }),
  )

  it.effect("a row that breaks a field of the destination, or that the sink refuses, is refused", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const fields = Effect.succeed([field("id"), field("name", { max: 2 }), field("tags", { type: "list" })])
      sink.writer = { fields }
      const long = yield* shown(sink)
      assert.strictEqual(long.row?.reasons[0]?.code, "too_long")
      assert.notInclude(long.row?.reasons[0]?.message, "Ann")
      sink.writer = { refuse: () => ({ code: "nope", message: "never", fields: [] }) }
      assert.deepStrictEqual((yield* shown(sink)).row?.reasons, [{ code: "nope", message: "never" }])
    }),
  )

  it.effect("reads no more records than asked for", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: 50 }, (_, n) => record(`r${n}`))
      const { report } = yield* shown(fakeSink(), many, { ...all, limit: 3 })
      assert.strictEqual(report.records.length, 3)
    }),
  )

  it.effect("finds records by id, and names those that are not there", () =>
    Effect.gen(function* () {
      const options = { ...all, ids: ["b", "nobody"] }
      const { report } = yield* shown(fakeSink(), [record("a"), record("b")], options)
      assert.deepStrictEqual(
        report.records.map(({ id }) => id),
        ["b"],
      )
      assert.deepStrictEqual(report.not_found, [{ field: "id", value: "nobody" }])
    }),
  )

  it.effect("S04: without --reveal no text of a record is in the report", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      const held = { remoteId: "1", fields: { name: "Formerly Known", tags: ["old tag"] } }
      sink.writer = holding({ "auth0|secretidentifier": held })
      const data = { name: "Ada Lovelace", tags: ["vip customer"] }
      const records = [record("auth0|secretidentifier", data)]
      const { report } = yield* shown(sink, records, { ...all, reveal: false })
      const text = JSON.stringify(report)
      for (const part of ["Lovelace", "Formerly", "secretiden", "vip", "old tag"]) assert.notInclude(text, part)
      assert.strictEqual(report.records[0]?.routes["fake.things"]?.action, "change")
      assert.isTrue(report.masked)
    }),
  )
})

describe("mask", () => {
  it("keeps the kind and the first character", () => {
    assert.strictEqual(mask("ada@example.com"), "a***@e***.com")
    assert.strictEqual(mask("https://example.com/ada"), "https://***")
    assert.strictEqual(mask("2024-02-29"), "****-**-**")
    assert.strictEqual(mask("Ada Lovelace"), "A***")
    assert.strictEqual(mask("Ada"), "***")
    assert.strictEqual(mask(""), "")
    assert.strictEqual(maskKey("auth0|5f7c8ec7c33c6c004bbafe82"), "auth0|***fe82")
    assert.strictEqual(maskKey("short"), "***")
  })

  it("shows null, booleans and numbers in lists; hides other numbers", () => {
    assert.deepStrictEqual(mask([null, true, 20, "Ada Lovelace"]), [null, true, 20, "A***"])
    assert.strictEqual(mask(42), "***")
    assert.deepStrictEqual(mask({ plan: "gold plus", age: 42, "ada@example.com": 1 }), {
      plan: "g***",
      age: "***",
      "a***@e***.com": "***",
    })
  })

  it("S04: never shows two characters of a text in a row, but for an ending of a domain", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 2, unit: "grapheme" }).filter((text) => !text.includes("@")),
        (text) => {
          const shown = mask(`${text}q`)
          assert.isTrue(typeof shown === "string" && [...shown.replaceAll(/[*\-T:]|https?:\/\//g, "")].length <= 1)
        },
      ),
    )
  })
})

describe("connected check", () => {
  const found = (sink: FakeSink) =>
    checkConnected([pipelineOf(fakeSource(), { fake: { sink } })]).pipe(Effect.provide(services()))

  it.effect("names unknown fields with a suggestion, and the accounts", () =>
    Effect.gen(function* () {
      const sink = fakeSink()
      sink.writer = { fields: Effect.succeed([field("id", { key: true }), field("names")]) }
      const report = yield* found(sink)
      assert.isFalse(report.ok)
      assert.deepStrictEqual(report.accounts, { tenant: "tenant", fake: "account" })
      const [finding] = report.findings
      assert.strictEqual(finding?.code, "unknown_field")
      assert.deepStrictEqual(finding?.path, ["map", "name"])
      assert.include(finding?.message, "did you mean names?")
    }),
  )

  it.effect("reports every connection, and each trouble once", () =>
    Effect.gen(function* () {
      const broken = fakeSink()
      const reason = new Unauthorized({ message: "wrong key" })
      const sink = { ...broken, open: () => Effect.fail(new SinkError({ reason })) }
      const routes = { fake: { sink }, other: { sink: fakeSink() } }
      const report = yield* checkConnected([pipelineOf(fakeSource(), routes), pipelineOf(fakeSource(), routes)]).pipe(
        Effect.provide(services()),
      )
      assert.deepStrictEqual(
        report.findings.map(({ code, connection }) => [code, connection]),
        [["Unauthorized", "fake"]],
      )
      assert.deepStrictEqual(report.accounts, { tenant: "tenant", other: "account" })
    }),
  )
})
