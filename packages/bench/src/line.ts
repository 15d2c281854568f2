/** One line of the table: what was measured and what it is held against. */

export interface Line {
  readonly name: string
  readonly measured: number
  readonly unit: "×" | "µs" | "calls"
  /** Which way is better. */
  readonly better: "more" | "less"
  /** Missed: the bench fails. Absent: the line is there to be seen. */
  readonly floor?: number
  readonly aim?: number
  /** The numbers behind it. */
  readonly detail: string
}

export type Verdict = "ok" | "below the aim" | "MISSED" | ""

const reaches = ({ better, measured }: Line, goal: number): boolean =>
  better === "more" ? measured >= goal : measured <= goal

export const verdictOf = (line: Line): Verdict => {
  if (line.floor === undefined || line.aim === undefined) return ""
  if (!reaches(line, line.floor)) return "MISSED"
  return reaches(line, line.aim) ? "ok" : "below the aim"
}

/** A line no goal is set for. */
export const seen = (name: string, measured: number, detail: string, unit: Line["unit"] = "×"): Line => ({
  name,
  measured,
  unit,
  better: "more",
  detail,
})

export const whole = (number: number): string => Math.round(number).toLocaleString("en-US")
