/** Text for terminals: widths, escapes, progress, exit codes. */
import type { PipelineReport, Problem, RouteCounts } from "@sluice/core"
import { displayWidth } from "effect/cli/CliOutput"
import { assert, describe, it } from "vitest"
import { EXIT, exitOfFailure, exitOfReport } from "../src/exit.ts"
import { countTroubles, renderTroubles } from "../src/render/problems.ts"
import { makeProgress } from "../src/render/progress.ts"
import { renderReport } from "../src/render/report.ts"
import { table } from "../src/render/table.ts"
import { clean, coloured, duration, fit, plain, wrap } from "../src/render/text.ts"
import { ofProblems } from "../src/troubles.ts"
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

  it("leaves a command in backquotes whole where it fits a line, so that it can be copied", () => {
    assert.deepStrictEqual(wrap("then run (`sluice check a.yaml`), twice", 24), [
      "then run",
      "(`sluice check a.yaml`),",
      "twice",
    ])
    assert.deepStrictEqual(wrap("`sluice check a.yaml`", 12), ["`sluice", "check", "a.yaml`"])
    assert.deepStrictEqual(wrap("a ` alone and more", 8), ["a `", "alone", "and more"])
    assert.deepStrictEqual(wrap("`sluice check` or `ls`", 8), ["`sluice", "check`", "or `ls`"])
    assert.deepStrictEqual(wrap("`a b` `c d`", 6), ["`a b`", "`c d`"])
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

describe("tables on a narrow terminal", () => {
  const words = (text: string) => text.replaceAll(/\s/g, "")
  const columns = [
    { title: "n", align: "right" as const },
    { title: "why", least: 6, lines: 20 },
  ]

  it("go on below where a cell may not be cut, and lose nothing: wide, combining, emoji, one long word", () => {
    for (const text of [
      "漢字漢字漢字漢字漢字",
      "e\u0301".repeat(30),
      "👩‍👩‍👧 👩‍👩‍👧 family",
      "x".repeat(40),
      "some words of a sentence",
    ]) {
      for (let width = 13; width < 30; width += 1) {
        const lines = table(columns, [["1,000", text]], width, (title) => title).slice(1)
        assert.isTrue(lines.every((line) => displayWidth(line) <= width))
        const column = lines.map((line, at) => line.slice(at === 0 ? "1,000".length : 0)).join("")
        assert.strictEqual(words(column), words(text))
      }
    }
  })

  it("cut after so many lines, with an ellipsis, and keep what follows aligned", () => {
    const lines = table(
      [
        { title: "why", least: 6, lines: 2 },
        { title: "n", align: "right" },
      ],
      [["one two three four five six", "7"]],
      13,
      (title) => title,
    )
    assert.deepStrictEqual(lines, ["why         n", "one two     7", "three fou…"])
  })

  it("paint each line of a cell by itself, so that no colour runs into the next column", () => {
    const cell = { text: "one two three", paint: coloured.red }
    const lines = table([{ title: "", least: 5, lines: 3 }, { title: "" }], [[cell, "x"]], 9, (title) => title)
    for (const line of lines) assert.strictEqual(line.split("\u001b[31m").length, line.split("\u001b[39m").length)
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
      connections: {},
    }) as const
  const started = { _tag: "Started", pipeline: "users", run_id: "r", source: "tenant", expected: 1000 } as const

  it("redraws one block on a terminal, ten times a second at most: how far, and what became of each route", () => {
    const bar = makeProgress(page, true)
    bar.on(started, 0)
    const drawn = bar.on(progress(500), 1000)
    assert.include(drawn, "50%")
    assert.include(drawn, "500/s")
    assert.include(drawn, "1.0 s left")
    assert.include(drawn, "██████░░░░░░")
    assert.match(drawn, /\n {2}brevo\.contacts {2}500 created$/)
    assert.strictEqual(bar.on(progress(510), 1050), "")
    assert.strictEqual(bar.end(), "\r\u001b[2K\u001b[1A\r\u001b[2K")
    assert.strictEqual(bar.end(), "")
  })

  it("puts a line from elsewhere above the block, not into it", () => {
    const bar = makeProgress(page, true)
    bar.on(started, 0)
    bar.on(progress(500), 1000)
    assert.strictEqual(bar.note("stopping"), "\r\u001b[2K\u001b[1A\r\u001b[2Kstopping\n")
    assert.notInclude(bar.tick(2000), "\u001b[1A")
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
    assert.strictEqual(bar.tick(10_500), "")
    bar.end()
    const ticked = bar.tick(14_000)
    assert.include(ticked, "50/s  after 14 s  6.0 s left")
    assert.isTrue(ticked.split("\n").every((line) => displayWidth(line) < 70))
    assert.notInclude(bar.tick(30_000), "left")
  })

  it("says what it waits for, how long still, and no longer than that", () => {
    const bar = makeProgress(page, true)
    bar.on(started, 0)
    bar.on(progress(500), 1000)
    const waiting = { _tag: "Waiting", pipeline: "users", connection: "brevo", why: "limit", millis: 12_000 } as const
    assert.include(bar.on(waiting, 2000), "waiting 12 s for brevo's rate limit")
    assert.include(bar.tick(5000), "waiting 9 s for brevo's rate limit")
    assert.notInclude(bar.tick(15_000), "waiting")
    assert.include(bar.on({ ...waiting, why: "retry", millis: 4000 }, 20_000), "trying again in 4 s")
  })

  it("shows a job from its hand-over to its end", () => {
    const job = { _tag: "Job", pipeline: "users", route: "brevo.contacts", rows: 5000, step: "submitted" } as const
    const bar = makeProgress(page, true)
    bar.on(started, 0)
    assert.include(bar.on(job, 1000), "a job of 5,000 rows for brevo.contacts is handed over")
    bar.on(progress(0), 2000)
    assert.include(bar.tick(41_000), "brevo.contacts works on a job of 5,000 rows since 40 s")
    assert.include(bar.on({ ...job, step: "over" }, 61_000), "is over after 1 min")
    assert.notInclude(bar.tick(62_000), "works on")
  })

  it("prints a plain line now and then elsewhere: every five seconds, after a minute every thirty", () => {
    const lines = makeProgress({ ...page, width: 120 }, false)
    assert.match(lines.on(started, 0), /\n$/)
    assert.strictEqual(lines.on(progress(100), 1000), "")
    const line = lines.on(progress(500), 6000)
    assert.match(line, /^users {2}500\/1,000 {2}50% .* brevo\.contacts 500 created\n$/)
    assert.notInclude(line, "\u001b")
    assert.notInclude(line, "█")
    lines.on(progress(600), 70_000)
    assert.strictEqual(lines.tick(80_000), "")
    assert.include(lines.tick(101_000), "600/1,000")
  })

  it("tells a log once of a wait that is long, and of a short one not at all", () => {
    const lines = makeProgress(page, false)
    lines.on(started, 0)
    const waiting = { _tag: "Waiting", pipeline: "users", connection: "brevo", why: "limit", millis: 45_000 } as const
    assert.strictEqual(lines.on({ ...waiting, millis: 2000 }, 0), "")
    assert.strictEqual(lines.on(waiting, 3000), "users: waiting 45 s for brevo's rate limit\n")
    assert.strictEqual(lines.on({ ...waiting, millis: 40_000 }, 8000), "")
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
    assert.strictEqual(exitOfReport(failed("Barred"), undefined), EXIT.environment)
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

describe("variables without a value", () => {
  const unset = (variable: string, line: number, suggestion?: string): Problem => ({
    code: "variable.missing",
    severity: "error",
    path: "sinks.brevo.api_key",
    message: `the variable ${variable} is not set`,
    file: "users.yaml",
    line,
    column: 5,
    variable,
    ...(suggestion === undefined ? {} : { suggestion }),
  })
  const all = ofProblems([
    unset("AUTH0_DOMAIN", 3),
    { ...unset("", 4), code: "key.unknown", message: "unknown key" },
    unset("BREVO_LIST_ALL", 8),
    unset("BREVO_KEY", 8, "BREVO_API_KEY"),
    unset("BREVO_LIST_ALL", 9),
  ])

  it("are one block that names each once, with its lines, where the first of them is", () => {
    assert.deepStrictEqual(renderTroubles(all, page).split("\n").slice(0, 5), [
      "users.yaml:3:5 error variable.missing",
      "  3 variables are not set:",
      "    AUTH0_DOMAIN    line 3",
      "    BREVO_LIST_ALL  lines 8, 9",
      "    BREVO_KEY       line 8; did you mean `BREVO_API_KEY`?",
    ])
    assert.match(renderTroubles(all, page), /^ {2}fix: set them in the shell/m)
    assert.strictEqual(renderTroubles(all, page).match(/variable\.missing/g)?.length, 1)
    assert.include(renderTroubles(all, page), "users.yaml:4:5 error key.unknown")
    assert.strictEqual(countTroubles(all), "4 errors")
  })

  it("are a finding each for a machine, each with what to do", () => {
    assert.strictEqual(all.length, 5)
    assert.match(all[0]?.fix ?? "", /^set it in the shell/)
    assert.match(all[3]?.fix ?? "", /^did you mean `BREVO_API_KEY`\? Or set it in the shell/)
  })

  it("one alone is told like any other problem", () => {
    const text = renderTroubles(ofProblems([unset("BREVO_KEY", 8, "BREVO_API_KEY")]), page)
    assert.include(text, "  sinks.brevo.api_key: the variable BREVO_KEY is not set\n  fix: did you mean")
  })

  it("of another file, and those with a stand-in for their value, are blocks of their own", () => {
    const standIn = (variable: string) => ({ ...unset(variable, 5), code: "variable.placeholder" })
    const other = { ...unset("C", 3), file: "other.yaml" }
    const text = renderTroubles(ofProblems([unset("A", 1), unset("B", 2), other, standIn("D"), standIn("E")]), page)
    assert.include(text, "  2 variables are not set:\n    A  line 1\n    B  line 2\n  fix:")
    assert.include(text, "the variable C is not set")
    assert.include(text, "  2 variables still have a value that only stands for the real one:\n    D  line 5")
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
