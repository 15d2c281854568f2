/**
 * Judges how a regular expression backtracks, before any text is seen.
 *
 * The pattern becomes an automaton with one state for each character position. Where one text leads from a state
 * back to itself in two ways, the engine may try 2^n of them: refused. Otherwise the time is at most a power of the
 * length; the power is the number of loops that can share one text in a row, and it sets how long a text may be.
 */
import { Automaton, TooLarge } from "./patternAutomaton.ts"
import { type Part, parsePattern, Unreadable } from "./patternSyntax.ts"

export type Verdict =
  | { readonly _tag: "Safe"; readonly maxLength: number }
  | { readonly _tag: "Refused"; readonly message: string }

/** About 2e8 steps of the regular expression engine, below a second: n²/2 and n³/6. */
const maxLengths = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 20_000, 1000]

export function judgePattern(pattern: RegExp): Verdict {
  try {
    return judge(parsePattern(pattern), pattern)
  } catch (cause) {
    if (cause instanceof Unreadable) return refused(`holds ${cause.what}, whose time cannot be bounded`)
    if (cause instanceof TooLarge || cause instanceof RangeError) return refused("is too large to be judged")
    throw cause
  }
}

function judge(root: Part, pattern: RegExp): Verdict {
  const automaton = new Automaton(root, anchored(root, pattern))
  if (automaton.isExponential()) {
    return refused("can take exponential time: a repeated part matches one text in more than one way")
  }
  const maxLength = maxLengths[automaton.degree()]
  return maxLength === undefined
    ? refused("has too many repetitions in a row that match the same characters; anchor it or make them distinct")
    : { _tag: "Safe", maxLength }
}

const refused = (message: string): Verdict => ({ _tag: "Refused", message })

/** An unanchored pattern is tried at every character: one more loop. */
function anchored(root: Part, pattern: RegExp): boolean {
  if (pattern.multiline || !pattern.source.startsWith("^")) return false
  return root._tag !== "Choice"
}
