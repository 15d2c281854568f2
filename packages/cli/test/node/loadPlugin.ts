/** A process of its own for the plugin tests: loads plugins, and opens each sink with a secret of this process. */
import { PluginState, Plugins } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { layer } from "../../src/node/plugins.ts"

const [pipelineFile = "", ...uses] = process.argv.slice(2)
const endpoint = { name: "test", baseUrl: undefined, share: undefined, insecure: false }

/** The sinks of these tests fail with the secret they were given, which proves that they could read it. */
const tell = (use: string) =>
  Effect.gen(function* () {
    const { sink, source, version } = yield* Plugins.use((plugins) => plugins.load(use, pipelineFile))
    if (sink === undefined) return { loaded: source?.name }
    const secret = Redacted.make("test-secret")
    const opened = yield* Effect.flip(Effect.scoped(sink.open({ api_key: secret }, endpoint)))
    return { loaded: sink.name, read: opened.message, version }
  }).pipe(
    Effect.catchTag("PluginNotFound", (error) =>
      Effect.succeed({ refused: error.message, suggestion: error.suggestion }),
    ),
  )

const services = Layer.mergeAll(
  layer,
  Layer.succeed(PluginState)({ get: () => Effect.succeedNone, set: () => Effect.void }),
  Layer.succeed(HttpClient.HttpClient)(HttpClient.make(() => Effect.die("no calls in these tests"))),
)

const answers = await Effect.runPromise(Effect.forEach(uses, tell).pipe(Effect.provide(services)))
process.stdout.write(JSON.stringify(answers))
