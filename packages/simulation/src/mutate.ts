/** Loaded before the simulation (`--import`): puts the mutant that MUTANT names into the engine's source. */
import { registerHooks } from "node:module"
import { mutants } from "./mutants.ts"

const mutant = mutants.find((each) => each.name === process.env.MUTANT)
if (mutant === undefined) throw new Error(`no mutant is named ${process.env.MUTANT}`)

const pending = new Set(mutant.edits)

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context)
    const edits = mutant.edits.filter(({ file }) => url.endsWith(`/packages/core/src/${file}`))
    if (edits.length === 0 || loaded.source === undefined || loaded.source === null) return loaded
    let source = typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source)
    for (const edit of edits) {
      const parts = source.split(edit.find)
      if (parts.length !== 2) {
        process.stdout.write(`the patch does not apply to ${edit.file}: found ${parts.length - 1} times\n`)
        process.exit(3)
      }
      source = parts.join(edit.replace)
      pending.delete(edit)
    }
    return { ...loaded, source }
  },
})

process.on("exit", () => {
  if (pending.size === 0) return
  process.stdout.write(`never loaded: ${[...pending].map(({ file }) => file).join(", ")}\n`)
  process.exitCode = 3
})
