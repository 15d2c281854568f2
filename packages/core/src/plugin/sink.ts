/** The contract of a sink plugin: a module that exports `sink`. */
import type { Effect } from "effect/Effect"
import type { Result } from "effect/Result"
import type { Codec, JsonObject } from "effect/Schema"
import type { Scope } from "effect/Scope"
import type { Stream } from "effect/Stream"
import type { SinkError } from "./errors.ts"
import type { Outcome } from "./outcome.ts"
import type { Batch, Row, StoredBatch } from "./record.ts"
import type { Endpoint, Identity, PluginServices } from "./services.ts"

// Methods where a plugin's own config or options type stands in a parameter: see source.ts.

export interface Sink<Config = unknown> {
  readonly name: string
  /** The plugin's own keys of a `sinks:` entry. Every field has a description; secrets are `Schema.Redacted`. */
  readonly config: Codec<Config, unknown>
  /** Fixed objects by name, or any object by a function, which answers undefined for a name it refuses. */
  readonly objects: { readonly [name: string]: ObjectSpec } | ((name: string) => ObjectSpec | undefined)
  /** Called once a run, with the decoded config. What it acquires is released when the run ends. */
  open(config: Config, endpoint: Endpoint): Effect<Connection, SinkError, PluginServices>
}

export interface ObjectSpec<Options = unknown> {
  readonly description: string
  /** The keys of a route's `with:`. */
  readonly options: Codec<Options, unknown>
  /** What a route may say in `on_delete` beside `keep`. */
  readonly deletes: ReadonlyArray<string>
  /** Those of `deletes` that nobody can undo: a run applies them only up to the number of `--allow-deletes`. */
  readonly irreversible?: ReadonlyArray<string>
  /** The key field of a route that names none. */
  readonly key?: string
  /** Fields known without asking the vendor: checked offline and offered by the editor. */
  readonly fields?: ReadonlyArray<Field>
  /**
   * What the object's fields, live or saved, do not say by themselves. Its writers keep these rules; `check` and `test`
   * ask them without a connection. Fails where the route cannot work, with a path below it. Pure.
   */
  rules?(request: WriterRequest<Options>, fields: ReadonlyArray<Field>): Result<Rules, SinkError>
}

/** What of a writer is known by fields alone. */
export interface Rules {
  /** As `Writer.refuse`. */
  readonly refuse: NonNullable<Writer["refuse"]>
}

/** A field of the destination. Core refuses a row that breaks it, before the call. */
export interface Field {
  readonly name: string
  readonly type: "text" | "number" | "integer" | "boolean" | "date" | "datetime" | "list" | "json"
  /** The most characters a text may have. */
  readonly max?: number
  /** What form a text has, if it has any character: `email`, or a name of the sink's own, whose `rules` judge it. */
  readonly format?: string
  /** The most digits a number may have before its point. */
  readonly digits?: number
  /** The values it takes, where they are listed. */
  readonly options?: ReadonlyArray<string>
  /** Capitals do not tell `options` apart, and empty text is no value, as null is. */
  readonly loose?: boolean
  /** A row without it is refused. */
  readonly required?: boolean
  /** False: null is refused, which would take its value away. */
  readonly nullable?: boolean
  readonly writable: boolean
  /** Rows can be matched by it. */
  readonly key?: boolean
}

export interface Connection {
  /** Called at the start of each run, preview and connected check. */
  readonly identify: Effect<Identity, SinkError>
  /** Called once for each route of a run, before the first page. */
  writer(object: string, request: WriterRequest): Effect<Writer, SinkError, Scope>
}

export interface WriterRequest<Options = unknown> {
  /** The destination field rows are matched by. */
  readonly key: string
  /** The destination fields the mapping writes, in its order. */
  readonly fields: ReadonlyArray<string>
  readonly options: Options
  /** `keep`, or one of the object's `deletes`. */
  readonly on_delete: string
  /** Rows to come, where known. */
  readonly expected: number | undefined
}

export interface Limits {
  readonly rows: number
  /** Bytes of the canonical JSON of a batch's fields. */
  readonly bytes?: number
  /** Batches in flight at once; 1 where absent. */
  readonly concurrency?: number
}

export interface Writer {
  readonly limits: Limits
  /** Writing a row twice equals writing it once. Only then is a write without an answer repeated. */
  readonly repeatable: boolean
  /** The live schema, asked once a run: core checks the mapping and validates rows with it. */
  readonly fields?: Effect<ReadonlyArray<Field>, SinkError>
  /** Says why a row must not be sent. Pure; called for each changed row, the same in preview and run. */
  refuse?(
    row: Row,
  ): { readonly code: string; readonly message: string; readonly fields: ReadonlyArray<string> } | undefined
  /** Rows of one partition are never in two open batches (a Salesforce parent). Pure. */
  partition?(row: Row): string
  /** What writing so many rows takes at the limits, for preview; one call a batch where absent. */
  cost?(rows: number): { readonly calls: number; readonly seconds: number }
  /**
   * What the destination holds for these keys, in the form of `Row.fields`. Reads only; for preview and check. `rows`: the
   * rows of these keys, where there are any, for a sink that would give one a record that has not its key yet.
   */
  lookup?(keys: ReadonlyArray<string>, rows?: ReadonlyArray<Row>): Effect<ReadonlyMap<string, Held>, SinkError>
  /** Writes a batch, up to `limits.concurrency` at once; answers with one outcome for each id. */
  write(batch: Batch): Effect<ReadonlyArray<Outcome>, SinkError>
  readonly jobs?: JobWriter
}

/** What a destination holds for a key. */
export interface Held {
  readonly remoteId: string
  readonly fields: JsonObject
  /** Why a run would not touch it, where so. */
  readonly held?: string
  /** Why the row is this one's: what matched, for `preview --explain`. Names fields and ids, never a value. */
  readonly why?: string
}

/** For vendors with asynchronous jobs: bulk, import, batch. */
export interface JobWriter {
  /** At most 100,000 rows. */
  readonly limits: Limits
  /** Asked when the spool closes, with the exact number of changed rows. Pure. */
  worth(rows: number): boolean
  /** Hands a stored batch to the vendor. `saveRef` as early as the vendor allows, before rows take effect if it can. */
  submit(batch: StoredBatch, saveRef: (ref: string) => Effect<void>): Effect<void, SinkError>
  /**
   * Waits for the end, reads every result and names each id once; a row it does not name is in doubt. `Deferred` for a row
   * that the job could not carry: it goes by `write` when the job is over. Called again after an outage, and after a crash
   * by another process.
   */
  settle(ref: string, batch: StoredBatch): Stream<ReadonlyArray<Outcome>, SinkError>
}
