/** Plans the `sources:` and `sinks:` of a file: loads each plugin and decodes its own keys. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { Codec, Json, JsonObject } from "effect/Schema"
import type { Checker } from "../../config/checker.ts"
import { type PluginModule, type PluginNotFound, Plugins } from "../../config/plugins.ts"
import { type Path, quote } from "../../config/problem.ts"
import { Entry, entryFields, NAME_PATTERN } from "../../config/schema.ts"
import { parseBase } from "../../http/address.ts"
import type { Endpoint } from "../../plugin/services.ts"
import type { Connected } from "../pipeline.ts"

/** `config` is undefined only where a problem is reported. */
export type Planned<P> = Connected<P>

/** By name; none where the plugin could not be loaded, which is reported. */
export type PlannedEntries<P> = ReadonlyMap<string, Option.Option<Planned<P>>>

interface Kind<P> {
  readonly section: "sources" | "sinks"
  readonly pick: (module: PluginModule) => P | undefined
}

export const planEntries = Effect.fnUntraced(function* <P extends { readonly config: Codec<unknown, unknown> }>(
  kind: Kind<P>,
  written: JsonObject,
  checker: Checker,
) {
  const planned = new Map<string, Option.Option<Planned<P>>>()
  for (const [name, raw] of Object.entries(written)) {
    const path = [kind.section, name]
    checkName(name, path, checker)
    const entry = Option.getOrUndefined(checker.decode(Entry, raw, path))
    const found = entry === undefined ? undefined : yield* loadPlugin(kind, entry.use, path, checker)
    if (entry === undefined || found === undefined) {
      warnOfSecrets(raw, path, [], checker)
      planned.set(name, Option.none())
      continue
    }
    const { plugin, version } = found
    const endpoint = yield* planEndpoint(name, entry, path, checker)
    const own = Object.fromEntries(Object.entries(entry).filter(([key]) => !Object.hasOwn(entryFields, key)))
    const config = Option.getOrUndefined(checker.decode(plugin.config, own, path, Object.keys(entryFields)))
    warnOfSecrets(raw, path, redactedKeys(config), checker)
    planned.set(name, Option.some({ plugin, config, endpoint, ...loaded(entry.use, version) }))
  }
  return planned
})

const loaded = (use: string, version: string | undefined): Pick<Planned<unknown>, "loaded"> =>
  version === undefined ? {} : { loaded: { use, version } }

export function checkName(name: string, path: Path, checker: Checker): void {
  if (NAME_PATTERN.test(name)) return
  const message = "a name starts with a letter and holds letters, digits, _ and - only"
  checker.report({ code: "name.invalid", path, place: "key", message })
}

const loadPlugin = Effect.fnUntraced(function* <P>(kind: Kind<P>, use: string, at: Path, checker: Checker) {
  const plugins = yield* Plugins
  const path = [...at, "use"]
  const module: Result.Result<PluginModule, PluginNotFound> = yield* Effect.result(plugins.load(use, checker.file))
  if (Result.isFailure(module)) {
    const { message, suggestion } = module.failure
    checker.report({ code: "plugin.not-found", path, message, suggestion })
    return undefined
  }
  const plugin = kind.pick(module.success)
  if (plugin !== undefined) return { plugin, version: module.success.version }
  const what = kind.section === "sources" ? "source" : "sink"
  checker.report({
    code: `plugin.not-a-${what}`,
    path,
    message: `${quote(use)} is no ${what}: it exports no \`${what}\``,
  })
  return undefined
})

const planEndpoint = Effect.fnUntraced(function* (name: string, entry: Entry, path: Path, checker: Checker) {
  const insecure = entry.insecure ?? false
  // An empty value is no address: `base_url: ${BREVO_BASE_URL:-}` is the vendor's own.
  const baseUrl = entry.base_url === null || entry.base_url === "" ? undefined : entry.base_url
  const addresses = Object.entries(entry).filter(
    ([key, value]) => (key === "url" || key.endsWith("_url")) && typeof value === "string" && value.startsWith("http:"),
  )
  for (const [key, address] of new Map<string, unknown>([...addresses, ["base_url", baseUrl]])) {
    if (typeof address !== "string") continue
    const checked = yield* Effect.result(parseBase(address, insecure))
    if (Result.isFailure(checked))
      checker.report({ code: "address.invalid", path: [...path, key], message: checked.failure.message })
  }
  const endpoint: Endpoint = { name, baseUrl, share: entry.share, insecure }
  return endpoint
})

const redactedKeys = (config: unknown): ReadonlyArray<string> =>
  typeof config === "object" && config !== null
    ? Object.entries(config).flatMap(([key, value]) => (Redacted.isRedacted(value) ? [key] : []))
    : []

const SECRET_NAME = /(secret|token|password|passphrase|api_?key|private_?key|credentials?)$/i

/** A secret belongs in a variable or a file of its own, not in a pipeline file that is shared. */
function warnOfSecrets(raw: Json | undefined, path: Path, known: ReadonlyArray<string>, checker: Checker): void {
  if (typeof raw !== "object" || raw === null) return
  for (const [key, value] of Object.entries(raw)) {
    const secret = known.includes(key) || SECRET_NAME.test(key)
    if (!secret || typeof value !== "string" || value === "" || checker.isInterpolated([...path, key])) continue
    checker.report({
      code: "secret.inline",
      severity: "warning",
      path: [...path, key],
      message: `a secret in the file; write \${${key.toUpperCase().replace(/[^A-Z0-9]/g, "_")}} or \${file:/path} instead`,
    })
  }
}
