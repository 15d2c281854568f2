/** The contract of a source plugin: a module that exports `source`. */
import type { Effect } from "effect/Effect"
import type { Option } from "effect/Option"
import type { Codec } from "effect/Schema"
import type { Stream } from "effect/Stream"
import type { SourceError } from "./errors.ts"
import type { Page, Position, SourceRecord } from "./record.ts"
import type { Endpoint, Identity, PluginServices } from "./services.ts"

// Methods, not function properties, where a plugin's own config or options type stands in a parameter: core holds
// plugins of every type in one list and gives each only what its own schema decoded.

export interface Source<Config = unknown> {
  readonly name: string
  /** The plugin's own keys of a `sources:` entry. Every field has a description; secrets are `Schema.Redacted`. */
  readonly config: Codec<Config, unknown>
  readonly streams: { readonly [name: string]: StreamSpec }
  /** Called once a run, with the decoded config. What it acquires is released when the run ends. */
  open(config: Config, endpoint: Endpoint): Effect<Reader, SourceError, PluginServices>
}

export type SyncMode = "full" | "incremental"

export interface StreamSpec<Options = unknown> {
  readonly description: string
  /** The keys of a pipeline's `with:`. */
  readonly options: Codec<Options, unknown>
  /** A record's `data`: documents the fields a mapping can read. Unknown fields pass. */
  readonly record: Codec<unknown, unknown>
  readonly modes: ReadonlyArray<SyncMode>
  /** A full scan yields every key there is, so a key that is absent was deleted. */
  readonly snapshot: boolean
}

export interface ScanRequest<Options = unknown> {
  readonly stream: string
  readonly options: Options
  readonly sync: SyncMode
  /** The root fields the mapping reads. The source asks for these and what it needs itself. */
  readonly fields: ReadonlyArray<string> | "all"
  /** Resume after this position of an earlier scan with the same stream and options. */
  readonly from: Option<Position>
  /** `--since`: an incremental scan without a position starts at this ISO time. */
  readonly since: Option<string>
  /** `preview` must not start anything at the vendor; `keys` needs only `key` and `version`. */
  readonly purpose: "run" | "preview" | "keys"
}

export interface Reader<Options = unknown> {
  /** Called at the start of each run, preview and connected check. */
  readonly identify: Effect<Identity, SourceError>
  /** How many records a scan would bring and what it costs, without reading them. For preview. */
  estimate?(request: ScanRequest<Options>): Effect<Estimate, SourceError>
  /** The records whose `field` equals `value`, straight from the vendor, never from an index that lags. */
  find?(
    request: ScanRequest<Options>,
    by: { readonly field: string; readonly value: string },
  ): Effect<ReadonlyArray<SourceRecord>, SourceError>
  /** The fields `find` takes. */
  readonly findBy?: ReadonlyArray<string>
  /**
   * Reads a stream, at most two pages ahead of the engine. A stream that ends without an error is complete: that is
   * a promise. Its last position is where the next incremental run starts, overlap included, so a scan without
   * records still yields one empty page where it has a new position.
   */
  read(request: ScanRequest<Options>): Stream<Page, SourceError>
  /** What the scans of this run found out about their own completeness. Asked once, after the last. */
  readonly completeness?: Effect<Completeness>
}

export interface Estimate {
  readonly records: number | undefined
  readonly calls: number
  readonly seconds: number
}

export interface Completeness {
  /** What the vendor said there is, where it said so. */
  readonly expected: number | undefined
  readonly delivered: number
  /** Something could not be read. Set: the run ends with exit code 4 and says this. */
  readonly gap: string | undefined
  /** Counts worth a line in the report: windows, ties, overlap. */
  readonly facts: { readonly [name: string]: number }
}
