/** Every source of the workspace keeps what the engine relies on. */
import { type SourceConformance, sourceConformance, sourcePipelineConformance } from "@sluice/core/testing"
import { checkAll, state } from "./workspacePlugins.ts"

await checkAll("source", (suite: SourceConformance<unknown>) => [
  ...sourceConformance(suite),
  ...sourcePipelineConformance(suite, state),
])
