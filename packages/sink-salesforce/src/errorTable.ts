/**
 * What each of Salesforce's error codes asks for: one table for calls, rows of a call, jobs and rows of a job. Messages
 * are only looked into, never repeated: they quote the row.
 */

export type Handling =
  /** The session has ended: sign in again, send again, once. Said of a row it is a trigger's own affair. */
  | "session"
  /** A person has to do something about the sign-in. */
  | "credentials"
  | "login_rate"
  /** The day's calls, or batches, are used up. */
  | "quota"
  /** Too many calls run long: fewer and smaller ones. */
  | "crowded"
  | "passing"
  /** Nothing was written; in some minutes it may be. */
  | "maintenance"
  /** A lock: the row was not written, and is sent again. */
  | "lock"
  /** The row was not written for another row's fault, and is sent again. */
  | "bystander"
  /** The batch is too much for the organization's triggers: half of it may pass. */
  | "smaller"
  /** The record it points to is not there, or not yet. */
  | "no_parent"
  /** The id we have is no longer good: looked for once more. */
  | "stale"
  /** The Lead became a Contact. */
  | "converted"
  /** A duplicate rule objects. */
  | "duplicates"
  /** Several records have the key. */
  | "ambiguous"
  /** This row, and it would be refused again. */
  | "data"
  /** This row, or the whole object if no row passes. */
  | "access"
  /** Every row would be refused. */
  | "config"
  /** No room for a new record. */
  | "storage"

export interface Rule {
  readonly code: string
  /** Where one code means several things. */
  readonly says?: RegExp
  readonly handling: Handling
  readonly meaning: string
}

const rules = (handling: Handling, meanings: { readonly [code: string]: string }, says?: RegExp): ReadonlyArray<Rule> =>
  Object.entries(meanings).map(([code, meaning]) => ({
    code,
    handling,
    meaning,
    ...(says === undefined ? {} : { says }),
  }))

const trigger = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"

/** The first rule that fits counts. */
export const errorTable: ReadonlyArray<Rule> = [
  ...rules("smaller", { "": "its triggers failed for the batch as a whole" }, /too many batch retries/i),
  ...rules("credentials", { INVALID_SESSION_ID: "the app may not use this API" }, /not attached|not valid for use/i),
  ...rules("session", { INVALID_SESSION_ID: "the session has ended", InvalidSessionId: "the session has ended" }),
  ...rules("credentials", {
    INVALID_AUTH_HEADER: "the session is not accepted",
    INVALID_LOGIN: "the sign-in is not accepted",
  }),
  ...rules("login_rate", { LOGIN_RATE_EXCEEDED: "too many sign-ins this hour" }),
  ...rules("crowded", { REQUEST_LIMIT_EXCEEDED: "too many calls run at once" }, /concurrent/i),
  ...rules("quota", {
    REQUEST_LIMIT_EXCEEDED: "the day's calls are used up",
    ExceededQuota: "the day's bulk batches are used up",
  }),
  ...rules("passing", {
    SERVER_UNAVAILABLE: "the server is not available",
    UNKNOWN_EXCEPTION: "the server failed",
    QUERY_TIMEOUT: "the query took too long",
    Timeout: "the job took too long",
    Unknown: "the job failed",
  }),
  ...rules("maintenance", {
    INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE: "maintenance: it takes no writes now",
    API_CURRENTLY_DISABLED: "the API is switched off for now",
  }),
  ...rules("lock", {
    UNABLE_TO_LOCK_ROW: "the record, or one above it, is locked",
    TooManyLockFailure: "too many of the job's records were locked",
  }),
  ...rules("lock", { [trigger]: "a trigger met a locked record" }, /UNABLE_TO_LOCK_ROW/),
  ...rules("smaller", { [trigger]: "a trigger exceeds a limit" }, /CPU time limit|Too many (SOQL|DML|query)/i),
  ...rules("bystander", {
    ALL_OR_NONE_OPERATION_ROLLED_BACK: "another row failed",
    PROCESSING_HALTED: "another row failed",
  }),
  ...rules("bystander", { DUPLICATE_VALUE: "its key stood twice in a batch" }, /duplicate external id specified/i),
  ...rules("duplicates", { DUPLICATES_DETECTED: "a duplicate rule objects" }),
  ...rules("ambiguous", { DUPLICATE_EXTERNAL_ID: "several records have its key" }),
  ...rules("converted", { CANNOT_UPDATE_CONVERTED_LEAD: "the Lead was converted" }),
  ...rules("no_parent", { INVALID_FIELD: "the record it points to is not there" }, /foreign key external id/i),
  ...rules("config", { NOT_FOUND: "the key is no external id field" }, /external id field/i),
  ...rules("stale", {
    ENTITY_IS_DELETED: "the record is deleted",
    NOT_FOUND: "the record is not there",
    INVALID_CROSS_REFERENCE_KEY: "an id names no record",
    INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY: "a record it points to is out of reach",
  }),
  ...rules("data", {
    DUPLICATE_VALUE: "another record has a value that must be unique",
    REQUIRED_FIELD_MISSING: "a required field has no value",
    STRING_TOO_LONG: "a text is too long",
    INVALID_EMAIL_ADDRESS: "an e-mail address is malformed",
    INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: "a value is none of a picklist's",
    NUMBER_OUTSIDE_VALID_RANGE: "a number is out of range",
    INVALID_TYPE_ON_FIELD_IN_RECORD: "a value has the wrong type",
    JSON_PARSER_ERROR: "a value cannot be read",
    MALFORMED_ID: "an id is malformed",
    FIELD_FILTER_VALIDATION_EXCEPTION: "a lookup filter refuses a value",
    FIELD_INTEGRITY_EXCEPTION: "a value does not fit another one",
    FIELD_CUSTOM_VALIDATION_EXCEPTION: "a validation rule refuses it",
    INACTIVE_OWNER_OR_USER: "its owner is not active",
    ENTITY_IS_LOCKED: "it is locked by an approval",
    [trigger]: "a trigger refuses it",
  }),
  ...rules("access", { INSUFFICIENT_ACCESS_OR_READONLY: "the user may not write it" }),
  ...rules("config", {
    INVALID_FIELD: "a field does not exist or is not visible",
    INVALID_FIELD_FOR_INSERT_UPDATE: "a field cannot be written",
    INVALID_TYPE: "the object does not exist or is not visible",
    INVALID_PERSON_ACCOUNT_OPERATION: "a person account is written as its Account",
    UNSUPPORTED_API_VERSION: "this version of the API is gone: set api_version",
    API_DISABLED_FOR_ORG: "the organization's edition has no API",
    ORG_LOCKED: "the organization is locked",
    TRIAL_EXPIRED: "the trial has ended",
    TXN_SECURITY_NO_ACCESS: "a transaction security policy forbids it",
    TXN_SECURITY_METERING_ERROR: "a transaction security policy forbids it",
    METHOD_NOT_ALLOWED: "it takes no such call",
    MALFORMED_QUERY: "the query is refused",
    INVALID_QUERY_FILTER_OPERATOR: "the query is refused",
    QUERY_TOO_COMPLICATED: "the query is too complicated",
    InvalidBatch: "the job's columns are refused",
    ClientInputError: "the job is refused",
    FeatureNotEnabled: "bulk jobs are not enabled",
    InvalidJob: "the job is refused",
    InvalidJobState: "the job is in another state",
    InvalidUser: "the user may not run bulk jobs",
  }),
  ...rules("storage", { STORAGE_LIMIT_EXCEEDED: "the organization's storage is full" }),
]

const byCode = Map.groupBy(errorTable, ({ code }) => code)

/** An unknown code concerns the row: counted, and no reason to stop or to repeat. */
const unknown = (code: string): Rule => ({ code, handling: "data", meaning: "it refuses the row" })

/** `says`: the vendor's own text. */
export const ruleFor = (code: string, says: string): Rule => {
  const candidates = [...(byCode.get("") ?? []), ...(byCode.get(code) ?? [])]
  return candidates.find((rule) => rule.says === undefined || rule.says.test(says)) ?? unknown(code)
}
