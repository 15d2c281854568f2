/**
 * One copy of effect and core for the program and all its plugins. A second copy cannot read the first one's secrets:
 * each keeps the values of `Redacted` for itself. Where ours is, `imports` of this package says: `#effect/Effect` is an
 * installed module here, and a file of the bundle once published.
 */
import { registerHooks } from "node:module"
import { pathToFileURL } from "node:url"

const shared = /^(effect|@sluice\/core)(\/|$)/
const SCHEME = "sluice-plugin:"

/** A specifier that resolves `name` as if the file `from` had imported it. Needs the hooks. */
export const importedFrom = (name: string, from: string): string =>
  `${SCHEME}?${new URLSearchParams({ name, from: pathToFileURL(from).href })}`

let registered = false

/** For the whole process, before the first plugin is loaded. Doing it again changes nothing. */
export const shareOneCopy = (): void => {
  if (registered) return
  registered = true
  registerHooks({
    resolve: (specifier, context, nextResolve) => {
      if (shared.test(specifier)) return nextResolve(`#${specifier}`, { ...context, parentURL: import.meta.url })
      if (!specifier.startsWith(`${SCHEME}?`)) return nextResolve(specifier, context)
      const wanted = new URLSearchParams(specifier.slice(SCHEME.length))
      const parentURL = wanted.get("from") ?? undefined
      return nextResolve(wanted.get("name") ?? "", { ...context, parentURL })
    },
  })
}
