/** What the tests of a file found. `test --json` prints this value; the text is rendered from it. */
import type { Json, JsonObject } from "effect/Schema"
import type { Expected } from "../../config/testSchema.ts"

export interface TestFileReport {
  readonly file: string
  readonly pipeline_file: string
  readonly ok: boolean
  readonly tests: ReadonlyArray<TestReport>
  /** What of the destination's judgement is not known without a connection. */
  readonly notices: ReadonlyArray<string>
}

export interface TestReport {
  readonly name: string
  readonly pipeline: string
  readonly line: number
  readonly column: number
  readonly ok: boolean
  /** Nothing is expected yet: not passed. */
  readonly expects: boolean
  /** In the order of the test, of a test without `expect` all of the pipeline; each with one entry for each record. */
  readonly routes: ReadonlyArray<{ readonly route: string; readonly records: ReadonlyArray<RecordReport> }>
}

export interface RecordReport {
  readonly ok: boolean
  /** Null where nothing is expected yet. */
  readonly expected: Expected | null
  readonly got: Got
  readonly differences: ReadonlyArray<Difference>
  /** Fields that were looked at and are as expected. */
  readonly same: number
}

/** What the engine makes of a record; of one that is refused also where the pipeline file maps the first of `fields`. */
export type Got =
  | Exclude<Judged, { readonly outcome: "refused" }>
  | (Extract<Judged, { readonly outcome: "refused" }> & { readonly line: number; readonly column: number })

export type Judged =
  | { readonly outcome: "row"; readonly key: string; readonly row: JsonObject }
  | { readonly outcome: "filtered" | "kept" }
  | { readonly outcome: "deleted"; readonly key: string }
  | {
      readonly outcome: "refused"
      readonly code: string
      readonly message: string
      readonly fields: ReadonlyArray<string>
    }

/** `expected` or `got` without a value: absent. */
export interface Difference {
  /** `row.COMPANY`, `outcome`, `refused.code`. */
  readonly at: string
  readonly expected?: Json
  readonly got?: Json
}
