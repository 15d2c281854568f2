/** A pipeline, checked and ready to open: what `plan` makes of a file and what check, preview and run take. */
import type { Json } from "effect/Schema"
import type { Mapping } from "../mapping/mapping.ts"
import type { Endpoint } from "../plugin/services.ts"
import type { ObjectSpec, Sink } from "../plugin/sink.ts"
import type { Source, StreamSpec, SyncMode } from "../plugin/source.ts"

/** An entry of `sources:` or `sinks:`. */
export interface Connected<P> {
  readonly plugin: P
  readonly config: unknown
  readonly endpoint: Endpoint
  /** What the entry's `use` says, and the version that was loaded for it, where that is known. */
  readonly loaded?: { readonly use: string; readonly version: string }
}

export interface Pipeline {
  /** The key below `pipelines:`. */
  readonly name: string
  /** The file's name and the pipeline's, as `<file>.<pipeline>`: what its state and its lock are kept under. */
  readonly id: string
  readonly source: Connected<Source>
  readonly stream: {
    readonly name: string
    readonly spec: StreamSpec
    readonly options: unknown
    /** As written, for the fingerprint. */
    readonly written: Json
  }
  readonly sync: SyncMode
  readonly routes: ReadonlyArray<Route>
  readonly deadLetters: { readonly payload: "full" | "none" }
}

export interface Route {
  /** `<sink>.<object>`, as in the file. */
  readonly name: string
  readonly sink: Connected<Sink>
  readonly object: string
  readonly spec: ObjectSpec
  readonly options: unknown
  readonly written: Json
  /** Of `written`: the ledger compares rows together with it (rule 14). */
  readonly optionsFingerprint: string
  readonly mapping: Mapping
  readonly maxRejected: { readonly percent: number | undefined; readonly count: number | undefined }
  readonly onKeyConflict: "reject" | "newest"
  readonly onDelete: string
  readonly onLeave: "keep" | "on_delete"
}

/** What the route does about deletions cannot be undone, so only a complete scan and a number say that it may. */
export const isIrreversible = ({ spec, onDelete }: Pick<Route, "spec" | "onDelete">): boolean =>
  spec.irreversible?.includes(onDelete) === true
