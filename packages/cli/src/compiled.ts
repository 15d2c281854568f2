/** Node keeps what it has compiled in a folder of the user's: the next start of the same files is a third shorter. */
import { enableCompileCache } from "node:module"
import { isAbsolute, join } from "node:path"

/**
 * In the user's own cache, not in the temporary folder, where another user could have put code for us to run. Where there
 * is none, or it cannot be written, nothing is kept. Node's own variables go before: NODE_COMPILE_CACHE names another
 * folder, NODE_DISABLE_COMPILE_CACHE=1 keeps nothing.
 */
export const keepCompiled = (env: Readonly<Record<string, string | undefined>>): void => {
  const { XDG_CACHE_HOME = "", LOCALAPPDATA = "", HOME = "" } = env
  const cache = [XDG_CACHE_HOME, LOCALAPPDATA, HOME === "" ? "" : join(HOME, ".cache")].find(isAbsolute)
  if (cache !== undefined) enableCompileCache(join(cache, "sluice", "compiled"))
}
