/** The other end of a pipeline under test: a source that hands out scripted pages, and a sink that keeps what it gets. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Outcome } from "../plugin/outcome.ts"
import type { Page, Row, SourceRecord } from "../plugin/record.ts"
import type { Sink } from "../plugin/sink.ts"
import type { Source } from "../plugin/source.ts"

export interface Script {
  /** What the next scan finds. */
  pages: ReadonlyArray<ReadonlyArray<SourceRecord>>
  /** Called when the engine takes page `n`, from 0. */
  onPage: (n: number) => void
}

/** A position is the number of pages that are done. */
export const scriptedSource = (script: Script): Source => ({
  name: "scripted",
  config: Schema.Struct({}),
  streams: {
    records: {
      description: "What the test says.",
      options: Schema.Struct({}),
      record: Schema.Unknown,
      modes: ["full"],
      snapshot: false,
    },
  },
  open: () =>
    Effect.succeed({
      identify: Effect.succeed({ account: "script", label: "script" }),
      read: (request) => {
        const done = Option.match(request.from, { onNone: () => 0, onSome: Number })
        return Stream.fromArray(script.pages.map((records, n): Page => ({ records, position: n + 1 }))).pipe(
          Stream.drop(done),
          Stream.rechunk(1),
          Stream.tap((page) => Effect.sync(() => script.onPage(Number(page.position) - 1))),
        )
      },
    }),
})

export interface Recorded {
  readonly rows: Map<string, Row>
  /** Rows that were written, repeats included. */
  writes: number
}

/** Takes any row, ten at a time. */
export const recordingSink = (recorded: Recorded): Sink => ({
  name: "recording",
  config: Schema.Struct({}),
  objects: { rows: { description: "Anything.", options: Schema.Struct({}), deletes: [] } },
  open: () =>
    Effect.succeed({
      identify: Effect.succeed({ account: "record", label: "record" }),
      writer: () =>
        Effect.succeed({
          limits: { rows: 10 },
          repeatable: true,
          write: (batch) =>
            Effect.sync(() =>
              batch.rows.map((row) => {
                recorded.writes += 1
                recorded.rows.set(row.id, row)
                return Outcome.Delivered({ id: row.id, effect: "updated" })
              }),
            ),
        }),
    }),
})
