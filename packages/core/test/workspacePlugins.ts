/**
 * Conformance suites over every plugin of the workspace, found by its folder's name. A plugin takes part through
 * `test/conformance.ts`, which exports `suites`, each with the titles of the cases that do not apply to it in `without`.
 */
import { existsSync, readdirSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import type { ConformanceCase } from "@sluice/core/testing"
import * as Effect from "effect/Effect"
import { layer } from "../../cli/src/node/index.ts"

type Suites<Suite> = ReadonlyArray<Suite & { readonly name?: string; readonly without?: ReadonlyArray<string> }>

const packages = new URL("../../", import.meta.url)
export const state = layer({ stateFile: ":memory:", env: {} })

const suitesOf = async <Suite>(plugin: string): Promise<Suites<Suite>> => {
  const module = new URL(`${plugin}/test/conformance.ts`, packages)
  if (!existsSync(module)) return []
  const { suites }: { readonly suites: Suites<Suite> } = await import(module.href)
  return suites
}

/** Every case, and every plugin, runs or says why not: what silently does not apply proves nothing. */
export const checkAll = async <Suite>(
  kind: "sink" | "source",
  cases: (suite: Suite) => ReadonlyArray<ConformanceCase>,
) => {
  const plugins = readdirSync(packages).filter((name) => name.startsWith(`${kind}-`))
  it(`finds ${kind} plugins`, () => assert.isNotEmpty(plugins))
  for (const plugin of plugins) {
    const suites = await suitesOf<Suite>(plugin)
    it(`${plugin} has suites in test/conformance.ts`, () => assert.isNotEmpty(suites))
    for (const suite of suites) {
      describe(`${plugin}: ${suite.name ?? "suite"}`, () => checkEach(cases(suite), suite.without ?? []))
    }
  }
}

const checkEach = (cases: ReadonlyArray<ConformanceCase>, without: ReadonlyArray<string>) => {
  it("knows the cases it goes without", () => {
    assert.includeMembers(
      cases.map(({ title }) => title),
      [...without],
    )
  })
  for (const { title, effect } of cases) {
    it(title, async ({ skip }) => {
      const why = await Effect.runPromise(effect)
      assert.strictEqual(without.includes(title), why !== undefined, why ?? "it applies: take it out of `without`")
      if (why !== undefined) skip(why)
    })
  }
}
