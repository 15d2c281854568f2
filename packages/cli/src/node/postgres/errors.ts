/** From what `pg` throws to Effect's classes of SQL errors, by SQLSTATE. No value of a row gets into the text. */

import {
  AuthenticationError,
  AuthorizationError,
  ConnectionError,
  ConstraintError,
  DeadlockError,
  LockTimeoutError,
  SerializationError,
  SqlError,
  type SqlErrorReason,
  SqlSyntaxError,
  StatementTimeoutError,
  UniqueViolation,
  UnknownError,
} from "effect/sql/SqlError"
import pg from "pg"

interface Fields {
  readonly cause: unknown
  readonly message: string
  readonly operation: string
}

/** The longest prefix of a code decides. */
const BY_CODE: ReadonlyArray<readonly [prefix: string, make: (fields: Fields) => SqlErrorReason]> = [
  ["40P01", (fields) => new DeadlockError(fields)],
  ["40001", (fields) => new SerializationError(fields)],
  ["40003", (fields) => new ConnectionError(fields)],
  ["55P03", (fields) => new LockTimeoutError(fields)],
  ["57014", (fields) => new StatementTimeoutError(fields)],
  ["42501", (fields) => new AuthorizationError(fields)],
  // Its session was ended, as by an administrator or for being idle in a transaction.
  ["25P03", (fields) => new ConnectionError(fields)],
  ["57P", (fields) => new ConnectionError(fields)],
  ["53300", (fields) => new ConnectionError(fields)],
  ["08", (fields) => new ConnectionError(fields)],
  ["23", (fields) => new ConstraintError(fields)],
  ["28", (fields) => new AuthenticationError(fields)],
  ["42", (fields) => new SqlSyntaxError(fields)],
]

const UNIQUE_VIOLATION = "23505"
/** What such errors say quotes the value. */
const DATA_EXCEPTION = "22"

const reasonOf = (cause: unknown, fields: Fields): SqlErrorReason => {
  if (cause instanceof pg.DatabaseError) {
    const code = cause.code ?? ""
    if (code === UNIQUE_VIOLATION) return new UniqueViolation({ ...fields, constraint: cause.constraint ?? "unknown" })
    const make = BY_CODE.find(([prefix]) => code.startsWith(prefix))?.[1]
    return make === undefined ? new UnknownError(fields) : make(fields)
  }
  if (cause instanceof TypeError || cause instanceof RangeError) return new UnknownError(fields)
  return isRefusal(cause) ? new AuthenticationError(fields) : new ConnectionError(fields)
}

/** Certificates, passwords and TLS: another try would end the same. */
const isRefusal = (cause: unknown): boolean =>
  cause instanceof Error && /CERT|TLS|SSL|SASL|SCRAM|self.signed/i.test(`${codeOf(cause) ?? ""} ${cause.message}`)

export const codeOf = (cause: unknown): string | undefined =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined

const describe = (cause: unknown): string => {
  const code = codeOf(cause)
  if (cause instanceof pg.DatabaseError && code?.startsWith(DATA_EXCEPTION) === true) return "a value does not fit"
  // A host with several addresses fails with an error that says nothing but its code.
  return cause instanceof Error && cause.message !== "" ? cause.message : "unknown failure"
}

export const toSqlError = (name: string, operation: string, cause: unknown): SqlError => {
  const code = codeOf(cause)
  const said = describe(cause)
  const text = code === undefined || said.includes(code) ? said : `${said} (${code})`
  const fields = { cause: Object.assign(new Error(text), { code }), message: `${name}: ${text}`, operation }
  return new SqlError({ reason: reasonOf(cause, fields) })
}
