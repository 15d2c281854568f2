/** The files of the repository, for the tests of this folder. */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

export const root = join(import.meta.dirname, "..")
export const read = (path: string): string => readFileSync(join(root, path), "utf8")
export const exists = (path: string): boolean => existsSync(join(root, path))

/** What Git knows, seen from the root: a pipeline file that someone tries here is not the project's. */
export const files: ReadonlyArray<string> = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" })
  .split("\0")
  .filter((path) => path !== "" && exists(path))
  .sort()

export const pages = files.filter((path) => path.endsWith(".md"))
