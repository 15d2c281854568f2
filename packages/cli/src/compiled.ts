/** Node keeps what it has compiled in a folder of the user's, so that the next start is half as long. */
import { enableCompileCache } from "node:module"
import { homedir } from "node:os"
import { isAbsolute, join } from "node:path"

/**
 * In the user's own cache, not in the temporary folder, where another user could have put code for us to run. Where it
 * cannot be written nothing is kept. NODE_COMPILE_CACHE names another folder, NODE_DISABLE_COMPILE_CACHE=1 keeps nothing.
 */
export const keepCompiled = (env: Readonly<Record<string, string | undefined>>): void => {
  const { XDG_CACHE_HOME: cache = "" } = env
  enableCompileCache(join(isAbsolute(cache) ? cache : join(homedir(), ".cache"), "sluice", "compiled"))
}
