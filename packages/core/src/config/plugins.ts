/** How a pipeline file's `use:` becomes a plugin. The command line provides it; core loads no module itself. */
import * as Context from "effect/Context"
import type { Effect } from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Sink } from "../plugin/sink.ts"
import type { Source } from "../plugin/source.ts"

/** What a plugin module exports. */
export interface PluginModule {
  readonly source?: Source
  readonly sink?: Sink
  /** Of its package, or of what its file holds, where that is known. */
  readonly version?: string
}

/** No plugin of that name, or it does not load. `message` says what was looked for and what to do. */
export class PluginNotFound extends Schema.TaggedError<PluginNotFound>()("PluginNotFound", {
  message: Schema.String,
  suggestion: Schema.optionalKey(Schema.String),
}) {}

export class Plugins extends Context.Service<
  Plugins,
  {
    /** `use` is a short name, a package name or a path starting `./` or `../`, seen from the pipeline file. */
    readonly load: (use: string, pipelineFile: string) => Effect<PluginModule, PluginNotFound>
  }
>()("@sluice/core/Plugins") {}
