/** Every sink of the workspace keeps what the engine relies on. */
import { type SinkConformance, sinkConformance, sinkPipelineConformance } from "@sluice/core/testing"
import { checkAll, state } from "./workspacePlugins.ts"

await checkAll("sink", (suite: SinkConformance<unknown>) => [
  ...sinkConformance(suite),
  ...sinkPipelineConformance(suite, state),
])
