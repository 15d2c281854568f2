/** Regular expressions judged before they see text (engineering trap 18, S25). */
import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { judgePattern } from "../src/mapping/pattern.ts"

const verdict = (pattern: RegExp) => {
  const judged = judgePattern(pattern)
  return judged._tag === "Safe" ? judged.maxLength : judged.message
}

describe("patterns", () => {
  it.each([
    /(a+)+$/,
    /(a|a)*b/,
    /(a*)*b/,
    /(a|aa)+$/,
    /(\w+\s?)*$/,
    /([a-z]+)*\d/,
    /(x+x+)+y/,
    /((a*|b*)c)*d/,
    /^(([a-z])+.)+[A-Z]([a-z])+$/,
    /(?:a{1,30}){1,30}x/,
    /(a|a){30}b/,
    /(.*a){20}/,
    /(?:[A-Z]|[a-z])*x/i,
    /(?:é|É)*x/i,
    /(?<name>\d+|[0-9])+$/,
    /(a|b|ab)*c/,
  ])("trap 18: %s can take exponential time", (pattern) => {
    assert.match(String(verdict(pattern)), /exponential/)
  })

  it.each([/(a)\1/, /(?<n>a)\k<n>/, /(?=a+)b/, /(?<!a*)b/])("%s cannot be judged: refused", (pattern) => {
    assert.match(String(verdict(pattern)), /cannot be bounded/)
  })

  it.each([/(a?){30}b/, new RegExp(`${"a?".repeat(30)}b`), /a{500}/, /(a{20}){30}/])(
    "%s is too large to be judged",
    (pattern) => {
      assert.match(String(verdict(pattern)), /too large/)
    },
  )

  it.each([/.*a.*b.*c.*d/, /^\w+.*\d+.*\w+$/])("%s takes more than the cube of the length", (pattern) => {
    assert.match(String(verdict(pattern)), /too many repetitions/)
  })

  it.each([
    /\s+/,
    /^\+?\d{1,15}$/,
    /^(\d{1,3}\.){3}\d{1,3}$/,
    /[^0-9]/,
    /auth0\|(.*)/,
    /^(\d+)\s*,\s*(\d+)\s*,\s*(\w+)$/,
    /^https?:\/\/([^/]+)\//,
    /^([^|]+)\|([^|]+)$/,
    /(\d{2}){9}/,
    /^[a-f\d]{8}-[a-f\d]{4}$/,
    /\bfoo\b/,
    /^\x41\u0042[\]\\-]$/,
    /a{,3}/,
  ])("%s is safe at any length", (pattern) => {
    assert.strictEqual(verdict(pattern), Number.POSITIVE_INFINITY)
  })

  it.each([/\s+$/, /^\s+|\s+$/, /^[\w.-]+@([\w-]+\.)+[\w-]{2,}$/, /^(.*)@(.*)$/, /\d+-\d+/, /(,\s*\w+)*$/])(
    "%s is safe for texts of ordinary length",
    (pattern) => {
      assert.strictEqual(verdict(pattern), 20_000)
    },
  )

  it("what is called safe is fast: random patterns against texts that make them backtrack", () => {
    const atom = fc.constantFrom("a", "b", "[ab]", ".", "\\w", "^", "$", "c")
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { maxDepth: 4, depthSize: "medium" },
        atom,
        fc.tuple(tie("pattern"), tie("pattern")).map(([a, b]) => a + b),
        fc.tuple(tie("pattern"), tie("pattern")).map(([a, b]) => `(?:${a}|${b})`),
        fc
          .tuple(tie("pattern"), fc.constantFrom("*", "+", "?", "*?", "{2}", "{1,9}", "{0,2}", "{20}"))
          .map(([a, sign]) => `(${a})${sign}`),
      ),
    }))
    const texts = ["a", "ab", "aab", "b", "abc"].map((unit) => `${unit.repeat(60).slice(0, 60)}#`)
    const seen = { safe: 0, refused: 0 }
    fc.assert(
      fc.property(pattern, (source) => {
        if (judgePattern(new RegExp(source, "g"))._tag === "Refused") {
          seen.refused++
          return
        }
        seen.safe++
        for (const text of texts) {
          const began = performance.now()
          new RegExp(source, "g").exec(text)
          assert.isBelow(performance.now() - began, 5_000, `${source} on ${text}`)
        }
      }),
      { numRuns: 3000, seed: 11 },
    )
    assert.isAbove(Math.min(seen.safe, seen.refused), 300)
  })

  it("ordinary texts at the greatest length take less than a few seconds", () => {
    for (const pattern of [/\s+$/, /^(.*)@(.*)$/, /\d+-\d+/]) {
      const began = performance.now()
      for (const unit of [" ", "@", "1"]) pattern.exec(`${unit.repeat(19_999)}x`)
      assert.isBelow(performance.now() - began, 5_000, String(pattern))
    }
  })
})
