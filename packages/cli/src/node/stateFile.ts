/** The state file as a file: where it may lie, who may read it, and how it comes into being whole. */
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The state cannot be used and is left as it is. Exit code 3. */
export class StateUnusable extends Schema.TaggedError<StateUnusable>()("StateUnusable", {
  /** Absolute path. */
  file: Schema.String,
  problem: Schema.String,
  /** What the user does next: a sentence, with a command where one helps. */
  repair: Schema.String,
}) {
  override get message(): string {
    return `the state ${this.file} cannot be used: ${this.problem}`
  }
}

const SMALLEST_PAGE = 512

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** For damage: nothing is reset by itself, the user moves the file away or brings a backup back. */
export const damaged = (file: string, problem: string): StateUnusable => {
  const aside = path.join(path.dirname(file), "damaged")
  return new StateUnusable({
    file,
    problem,
    repair:
      `Restore a backup, or start with an empty state (every record is read and compared again): ` +
      `mkdir -p ${quoted(aside)} && mv ${quoted(file)}* ${quoted(`${aside}/`)}`,
  })
}

const statOf = (file: string): fs.Stats | undefined => fs.lstatSync(file, { throwIfNoEntry: false })

const isInside = (folder: string, file: string): boolean => {
  const relative = path.relative(folder, file)
  return relative === "" || (relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative))
}

const makeFolder = (folder: string): boolean => {
  try {
    fs.mkdirSync(folder, { mode: 0o700 })
    return true
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EEXIST") return false
    throw cause
  }
}

/** A folder that leads elsewhere by a link could put personal data where others read it. */
const prepareFolder = (folder: string): string | undefined => {
  const found = statOf(folder)
  if (found === undefined) {
    // Recursive would make the parents too; not recursive, it fails where another process was quicker.
    if (makeFolder(folder)) return undefined
    return prepareFolder(folder)
  }
  if (found.isSymbolicLink()) {
    const real = fs.realpathSync(folder)
    const project = fs.realpathSync(path.dirname(folder))
    if (!isInside(project, real)) return `its folder is a link that leaves ${project}`
  }
  if (!fs.statSync(folder).isDirectory()) return "its folder is a file"
  if (path.basename(folder) === ".sluice") fs.chmodSync(folder, 0o700)
  return undefined
}

/** A link never replaces the file of a process that was quicker; not every file system has links. */
const publish = (draft: string, file: string): void => {
  try {
    fs.linkSync(draft, file)
  } catch {
    if (statOf(file) === undefined) fs.renameSync(draft, file)
  }
}

/** The first page is written before the name appears, so a file without one is always damage. */
const createFile = (file: string): void => {
  const draft = `${file}.${randomBytes(6).toString("hex")}.new`
  fs.closeSync(fs.openSync(draft, "wx", 0o600))
  try {
    const database = new DatabaseSync(draft)
    database.exec("PRAGMA journal_mode = WAL; PRAGMA user_version = 0")
    database.close()
    publish(draft, file)
  } finally {
    fs.rmSync(draft, { force: true })
  }
}

const problemOf = (file: string): string | StateUnusable | undefined => {
  const folder = prepareFolder(path.dirname(file))
  if (folder !== undefined) return folder
  for (const name of [file, `${file}-wal`, `${file}-shm`]) {
    const found = statOf(name)
    if (found !== undefined && !found.isFile()) return `${path.basename(name)} is a link or no regular file`
  }
  const found = statOf(file)
  // SQLite takes a shorter file for a new one and would begin again from nothing.
  if (found !== undefined && found.size < SMALLEST_PAGE) return damaged(file, `it has only ${found.size} bytes`)
  if (found === undefined && (statOf(`${file}-wal`)?.size ?? 0) > 0) {
    return damaged(file, "the file is gone, and its write-ahead log is still there")
  }
  if (found === undefined) createFile(file)
  else if ((found.mode & 0o077) !== 0) fs.chmodSync(file, 0o600)
  fs.accessSync(file, fs.constants.R_OK | fs.constants.W_OK)
  return undefined
}

const describeIo = (cause: unknown): string => {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown"
  if (code === "ENOENT") return "the folder it should lie in does not exist"
  if (code === "EROFS") return "it lies on a read-only file system"
  if (code === "EACCES" || code === "EPERM") return "this user may not read or write it"
  return `the system refused it (${code})`
}

const attempt = (file: string, find: () => string | StateUnusable | undefined): Effect.Effect<void, StateUnusable> =>
  Effect.suspend(() => {
    const repair = "Give a path that this user owns with --state, inside the project."
    try {
      const problem = find()
      if (problem === undefined) return Effect.void
      return Effect.fail(typeof problem === "string" ? new StateUnusable({ file, problem, repair }) : problem)
    } catch (cause) {
      return Effect.fail(new StateUnusable({ file, problem: describeIo(cause), repair }))
    }
  })

/** Makes the folder with mode 0700 when it is missing; the folder above has to exist. */
export const prepareStateFolder = (folder: string): Effect.Effect<void, StateUnusable> =>
  attempt(folder, () => prepareFolder(folder))

/**
 * Makes sure that `file` exists with mode 0600 in an existing project, and that nothing leads out of it by a link.
 * The file is never opened here: closing it would drop the locks SQLite holds on it in this process.
 */
export const prepareStateFile = (file: string): Effect.Effect<void, StateUnusable> =>
  attempt(file, () => problemOf(file))
