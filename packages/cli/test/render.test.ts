/** Text for terminals: widths, escapes, progress, exit codes. */
import type { PipelineReport, RouteCounts } from "@sluice/core"
import { displayWidth } from "effect/cli/CliOutput"
import { assert, describe, it } from "vitest"
import { EXIT, exitOfFailure, exitOfReport } from "../src/exit.ts"
import { makeProgress } from "../src/render/progress.ts"
import { renderReport } from "../src/render/report.ts"
import { table } from "../src/render/table.ts"
import { clean, duration, fit, plain, wrap } from "../src/render/text.ts"
import { noCounts, reportOf } from "./reports.ts"

const page = { width: 80, style: plain }

describe("text", () => {
  it("S16: writes out what a terminal would act on", () => {
    assert.strictEqual(
      clean("a\u001b[31mb\nc\r\td\u202e\u0007\u009b\ufeff"),
      "a\\u001b[31mb\\nc\\r\\td\\u202e\\u0007\\u009b\\ufeff",
    )
    assert.strictEqual(clean("\ud800x"), "\\ud800x")
    assert.strictEqual(clean("Žofie 😀 漢字"), "Žofie 😀 漢字")
  })

  it("cuts by columns, not by characters", () => {
    assert.strictEqual(fit("漢字漢字", 5), "漢字…")
    assert.strictEqual(fit("short", 5), "short")
    for (const text of ["漢字漢字漢字", "e\u0301e\u0301e\u0301e\u0301", "👩‍👩‍👧 family", "plain text"]) {
      for (let width = 1; width < 12; width += 1) assert.isAtMost(displayWidth(fit(text, width)), width)
    }
  })

  it("wraps at spaces", () => {
    assert.deepStrictEqual(wrap("one two three", 7), ["one two", "three"])
  })

  it("leaves durations whole", () => {
    assert.deepStrictEqual(wrap("takes about 8 min 41 s or 2 h", 14), ["takes about", "8 min 41 s or", "2 h"])
    assert.deepStrictEqual(wrap("5 sheep", 3), ["5", "sheep"])
  })

  it("prints durations as people say them", () => {
    assert.deepStrictEqual([400, 12_000, 90_000, 3_600_000, 3_660_000].map(duration), [
      "0.4 s",
      "12 s",
      "1 min 30 s",
      "1 h",
      "1 h 1 min",
    ])
  })

  it("tables align, fit the width, and leave columns without `least` whole", () => {
    const columns = [
      { title: "name", least: 6 },
      { title: "n", align: "right" as const },
      { title: "text", least: 5 },
    ]
    const rows = [
      ["漢字".repeat(20), "1,000", "x".repeat(50)],
      ["b", "2", "y"],
    ]
    for (const width of [30, 40, 80]) {
      const lines = table(columns, rows, width, (text) => text)
      assert.isTrue(lines.every((line) => displayWidth(line) <= width))
      assert.isTrue(lines[1]?.includes("1,000"))
    }
  })
})

describe("progress", () => {
  /** As the engine says it while it runs: `pending` is counted at the end. */
  const counts = (settled: number) => ({ ...noCounts(), read: settled + 300, created: settled, delivered: settled })
  const progress = (settled: number) =>
    ({
      _tag: "Progress",
      pipeline: "users",
      read: settled + 300,
      routes: { "brevo.contacts": counts(settled) },
      waited_ms: 0,
    }) as const
  const started = { _tag: "Started", pipeline: "users", run_id: "r", source: "tenant", expected: 1000 } as const

  it("redraws one bar on a terminal, ten times a second at most", () => {
    const bar = makeProgress(page, true)
    bar.on(started, 0)
    const drawn = bar.on(progress(500), 1000)
    assert.include(drawn, "50%")
    assert.include(drawn, "500/s")
    assert.include(drawn, "1.0 s left")
    assert.include(drawn, "██████░░░░░░")
    assert.notInclude(drawn, "\n")
    assert.isUndefined(bar.on(progress(510), 1050))
    assert.strictEqual(bar.end(), "\r\u001b[2K")
  })

  it("counts what has an outcome, not what was read: rows on their way are still to come", () => {
    const bar = makeProgress(page, true)
    bar.on(started, 0)
    assert.include(bar.on(progress(0), 1000), "0/1,000  0%")
  })

  it("goes on where nothing settles for a while, at the pace of what did, and fits the terminal", () => {
    const bar = makeProgress({ ...page, width: 70 }, true)
    bar.on(started, 0)
    bar.on({ ...progress(500), waited_ms: 9000 }, 10_000)
    assert.isUndefined(bar.tick(10_500))
    const ticked = bar.tick(14_000) ?? ""
    assert.include(ticked, "50/s  after 14 s  6.0 s left")
    assert.isBelow(displayWidth(ticked), 70)
    assert.notInclude(bar.tick(30_000) ?? "", "left")
  })

  it("prints a plain line every five seconds elsewhere", () => {
    const lines = makeProgress(page, false)
    assert.match(lines.on(started, 0) ?? "", /\n$/)
    assert.isUndefined(lines.on(progress(100), 1000))
    const line = lines.on(progress(500), 6000) ?? ""
    assert.match(line, /^users {2}500\/1,000 {2}50% .*\n$/)
    assert.notInclude(line, "\u001b")
    assert.notInclude(line, "█")
  })
})

describe("exit codes", () => {
  const failed = (code: string) => reportOf({ ok: false, status: "failed", error: { code, message: "m" } })

  it("come from the gravest pipeline", () => {
    assert.strictEqual(exitOfReport(reportOf({}), undefined), EXIT.done)
    assert.strictEqual(exitOfReport(reportOf({ ok: false }), undefined), EXIT.incomplete)
    assert.strictEqual(exitOfReport(failed("Unavailable"), undefined), EXIT.failed)
    assert.strictEqual(exitOfReport(failed("Unauthorized"), undefined), EXIT.environment)
    assert.strictEqual(exitOfReport(failed("Forbidden"), undefined), EXIT.environment)
    assert.strictEqual(exitOfReport(failed("Misconfigured"), undefined), EXIT.invalid)
    assert.strictEqual(exitOfReport(failed("Bug"), undefined), EXIT.bug)
    const interrupted = reportOf({ ok: false, status: "interrupted" })
    assert.strictEqual(exitOfReport(interrupted, EXIT.terminated), EXIT.terminated)
    const both = { ok: false, pipelines: [...failed("Unavailable").pipelines, ...failed("Bug").pipelines] }
    assert.strictEqual(exitOfReport(both, undefined), EXIT.bug)
  })

  it("of failures: by reason, lock and problems", () => {
    assert.strictEqual(exitOfFailure({ _tag: "LockHeld" }), EXIT.locked)
    assert.strictEqual(exitOfFailure({ _tag: "StateError" }), EXIT.failed)
    assert.strictEqual(exitOfFailure({ _tag: "EnvironmentRefused" }), EXIT.environment)
    assert.strictEqual(exitOfFailure({ _tag: "ConnectionError", reason: { _tag: "Unauthorized" } }), EXIT.environment)
    const problem = (code: string) => ({ code, severity: "error" })
    const missing = [problem("variable.missing")]
    assert.strictEqual(exitOfFailure({ _tag: "ConfigError", problems: missing }), EXIT.environment)
    const mixed = [...missing, problem("key.unknown")]
    assert.strictEqual(exitOfFailure({ _tag: "ConfigError", problems: mixed }), EXIT.invalid)
  })
})

describe("the report", () => {
  it("shows columns that are not 0, and says what to do about the rest", () => {
    const routes: PipelineReport["routes"] = {
      "brevo.contacts": { ...noCounts(), read: 3, delivered: 1, created: 1, rejected: 2 },
    }
    const text = renderReport(reportOf({ ok: false, read: 3, routes }), page)
    assert.include(text, "rejected")
    assert.notInclude(text, "superseded")
    assert.include(text, "sluice dead-letters list")
    assert.isTrue(text.split("\n").every((line) => displayWidth(line) <= 80))
  })

  it("names a dead letter that was tried again and refused again", () => {
    const recovered = { "brevo.contacts": { delivered: 3, rejected: 2, in_doubt: 0 } }
    const text = renderReport(reportOf({ ok: false, recovered }), page)
    assert.include(text, "2 dead letters: see `sluice dead-letters list`")
    assert.match(text, /writes +3 rows/)
  })

  it("says that nothing had changed only where every row was equal", () => {
    const route = (counts: Partial<RouteCounts>) =>
      renderReport(reportOf({ read: 3, routes: { "brevo.contacts": { ...noCounts(), read: 3, ...counts } } }), page)
    assert.include(route({ unchanged: 3 }), "nothing had changed")
    assert.notInclude(route({ filtered: 3 }), "nothing had changed")
  })

  it("S16: names and messages cannot start a line", () => {
    const error = { code: "Refused", message: "bad\nfake line\u001b[2J" }
    const text = renderReport(reportOf({ ok: false, status: "failed", error, notices: ["a\nb"] }), page)
    assert.notInclude(text, "\u001b")
    assert.notMatch(text, /^fake line/m)
    assert.notMatch(text, /^b/m)
  })
})
