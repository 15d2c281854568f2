/** Which version of a plugin was loaded: its package's, or for a file what it held. */
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { findPackageJSON } from "node:module"
import { fileURLToPath } from "node:url"

/** What can be known of it; that it cannot does not keep a plugin from being used. */
const known = <A>(look: () => A): A | undefined => {
  try {
    return look()
  } catch {
    return undefined
  }
}

/** Of the package that this module is in. */
const packageVersion = (specifier: string): string | undefined =>
  known(() => {
    const file = findPackageJSON(import.meta.resolve(specifier))
    const found: unknown = file === undefined ? undefined : JSON.parse(fs.readFileSync(file, "utf8"))
    const hasVersion = typeof found === "object" && found !== null && "version" in found
    return hasVersion && typeof found.version === "string" ? found.version : undefined
  })

/** A file of one's own has no version: it is known by what it holds, without what it imports. */
const fileVersion = (url: string): string | undefined =>
  known(
    () =>
      `sha256:${createHash("sha256")
        .update(fs.readFileSync(fileURLToPath(url)))
        .digest("hex")
        .slice(0, 12)}`,
  )

/** Of the module that was imported by this specifier. */
export const versionOf = (specifier: string): string | undefined =>
  specifier.startsWith("file:") ? fileVersion(specifier) : packageVersion(specifier)
