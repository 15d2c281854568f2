/** JSONata in a file of its own, loaded with the first expression that is more than a path: few files have one. */
import { copyFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import type { Plugin } from "rolldown"

/** Where it is installed. */
export const jsonata = createRequire(join(import.meta.dirname, "../../core/package.json")).resolve("jsonata")

export const writeJsonata = (target: string): void => copyFileSync(jsonata, join(target, "jsonata.cjs"))

const late = `import { createRequire } from "node:module"
let loaded
export default (...args) => (loaded ??= createRequire(import.meta.url)("../jsonata.cjs"))(...args)
`

export const lateJsonata: Plugin = {
  name: "late-jsonata",
  resolveId: { filter: { id: /^jsonata$/ }, handler: () => "late-jsonata" },
  load: { filter: { id: /^late-jsonata$/ }, handler: () => late },
}
