/**
 * The conformance suites over every plugin of the workspace, found by its folder's name. A plugin takes part through
 * `test/conformance.ts`, which exports `suites` and, in `without`, the titles of the cases that do not apply to it.
 */
import { readdirSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import {
  type ConformanceCase,
  type SinkConformance,
  sinkConformance,
  sinkPipelineConformance,
} from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import { layer } from "../../cli/src/node/index.ts"

interface Module<Suite> {
  readonly suites: ReadonlyArray<Suite>
  readonly without?: ReadonlyArray<string>
}

const packages = new URL("../../", import.meta.url)
const state = layer({ stateFile: ":memory:", env: {} })

const pluginsOf = (kind: "sink" | "source") => readdirSync(packages).filter((name) => name.startsWith(`${kind}-`))

const check = (name: string, cases: ReadonlyArray<ConformanceCase>, without: ReadonlyArray<string>) =>
  describe(name, () => {
    for (const { title, effect } of cases) {
      it(title, async ({ skip }) => {
        const why = await Effect.runPromise(effect)
        assert.strictEqual(without.includes(title), why !== undefined, why ?? "it applies: take it out of `without`")
        if (why !== undefined) skip(why)
      })
    }
  })

for (const name of pluginsOf("sink")) {
  const module: Module<SinkConformance<unknown>> = await import(new URL(`${name}/test/conformance.ts`, packages).href)
  for (const suite of module.suites) {
    const cases = [...sinkConformance(suite), ...sinkPipelineConformance(suite, state)]
    check(`${name}: ${suite.name ?? suite.object}`, cases, module.without ?? [])
  }
}

it("finds the plugins of the workspace", () => {
  assert.includeMembers(pluginsOf("sink"), ["sink-brevo"])
})
