/** Preloaded into a command: writes what it has loaded to SLUICE_TEST_MODULES, one module a line. */
import { appendFileSync } from "node:fs"
import { registerHooks } from "node:module"

const { SLUICE_TEST_MODULES = "" } = process.env

registerHooks({
  load: (url, context, nextLoad) => {
    appendFileSync(SLUICE_TEST_MODULES, `${url}\n`)
    return nextLoad(url, context)
  },
})
