/** What Salesforce refuses, as a pipeline file and its records bring it about: each row of the sink's error table. */

export type Fields = { readonly [name: string]: unknown }

/** What is sent to the vendor as it would be without the check. */
export type Sent =
  | {
      readonly by: "upsert"
      readonly object?: string
      readonly key?: string
      readonly record: Fields
      readonly times?: number
    }
  | { readonly by: "update"; readonly record: Fields }
  | { readonly by: "query"; readonly soql: string }
  | { readonly by: "bulk"; readonly csv: string }

export interface Case {
  readonly name: string
  /** Code and handling of the row of the error table. */
  readonly row: string
  readonly object?: string
  readonly key?: string
  readonly map: Fields
  readonly with?: Fields
  /** The records of a test; without any the mapping alone shows it. */
  readonly records?: ReadonlyArray<Fields>
  readonly code: string
  readonly field: string
  /** The key of the pipeline file that the line is of: the field's own, unless it is not there. */
  readonly at?: string
  /** What to do about it, as the message says. */
  readonly fix: RegExp
  /** None: the sandbox's user may do everything. */
  readonly sent?: Sent
  /** Changes the saved fields, for what the sandbox's organization does not have. */
  readonly lock?: (fields: { [name: string]: Fields }) => void
}

export const person = { Auth0_Id__c: "user_id", LastName: "family_name" }
export const user = { user_id: "auth0|1", family_name: "Lovelace" }
export const record = { Auth0_Id__c: "auth0|1", LastName: "Lovelace" }

/** A field whose value comes from the record. */
const value = (row: string, field: string, given: unknown, code: string, fix: RegExp, sent: unknown = given): Case => ({
  name: `${field} of ${JSON.stringify(given)?.slice(0, 30)}`,
  row,
  map: { ...person, [field]: "user_metadata.value" },
  records: [{ ...user, user_metadata: { value: given } }],
  code,
  field,
  fix,
  sent: { by: "upsert", record: { ...record, [field]: sent } },
})

/** A field that stands in the mapping. */
const mapped = (row: string, field: string, given: unknown, code: string, fix: RegExp, sent: unknown): Case => ({
  name: `${field}: ${JSON.stringify(given)?.slice(0, 30)}`,
  row,
  map: { ...person, [field]: given },
  code,
  field,
  at: typeof given === "string" ? field : (Object.keys(Object(given)).at(-1) ?? field),
  fix,
  sent: { by: "upsert", record: { ...record, [field]: sent } },
})

const long = "x".repeat(41)
const many = ["x".repeat(3000), "y".repeat(1200)]

export const cases: ReadonlyArray<Case> = [
  {
    name: "a required field is not mapped",
    row: "REQUIRED_FIELD_MISSING data",
    map: { Auth0_Id__c: "user_id" },
    code: "lock.required-field",
    field: "LastName",
    at: "map",
    fix: /map it/,
    sent: { by: "upsert", record: { Auth0_Id__c: "auth0|1" } },
  },
  {
    name: "a required field is absent",
    row: "REQUIRED_FIELD_MISSING data",
    map: person,
    records: [{ user_id: "auth0|1" }],
    code: "required_field",
    field: "LastName",
    fix: /`default`/,
    sent: { by: "upsert", record: { Auth0_Id__c: "auth0|1" } },
  },
  {
    name: "a required field is empty text",
    row: "REQUIRED_FIELD_MISSING data",
    map: person,
    records: [{ user_id: "auth0|1", family_name: "" }],
    code: "required_field",
    field: "LastName",
    fix: /give it another/,
    sent: { by: "upsert", record: { Auth0_Id__c: "auth0|1", LastName: "" } },
  },
  {
    name: "an update takes the value of a field that needs one",
    row: "REQUIRED_FIELD_MISSING data",
    map: { ...person, LastName: "user_metadata.value" },
    with: { mode: "update" },
    records: [{ ...user, user_metadata: { value: null } }],
    code: "not_clearable",
    field: "LastName",
    fix: /`default`/,
    sent: { by: "update", record: { LastName: null } },
  },
  value("STRING_TOO_LONG data", "FirstName", long, "too_long", /\$substring\(…, 0, 40\)/),
  mapped("STRING_TOO_LONG data", "FirstName", { value: long }, "lock.too-long", /\$substring\(…, 0, 40\)/, long),
  value("STRING_TOO_LONG data", "Interests__c", many, "too_long", /leave some out/, many.join(";")),
  value("INVALID_EMAIL_ADDRESS data", "Email", "nobody", "bad_email", /correct it/),
  value("INVALID_EMAIL_ADDRESS data", "Email", "a,b@example.com", "bad_email", /correct it/),
  mapped(
    "INVALID_EMAIL_ADDRESS data",
    "Email",
    { from: "email", default: "none" },
    "lock.bad-email",
    /correct it/,
    "none",
  ),
  value("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST data", "Auth0_Status__c", "Gone", "not_an_option", /Active, Blocked/),
  mapped(
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST data",
    "Auth0_Status__c",
    { value: "Gone" },
    "lock.not-an-option",
    /Active, Blocked/,
    "Gone",
  ),
  value("NUMBER_OUTSIDE_VALID_RANGE data", "Balance__c", 1e8, "out_of_range", /8 digits/),
  value("NUMBER_OUTSIDE_VALID_RANGE data", "Share__c", -1000, "out_of_range", /3 digits/),
  value("NUMBER_OUTSIDE_VALID_RANGE data", "Employees__c", 100_000_000, "out_of_range", /8 digits/),
  mapped("NUMBER_OUTSIDE_VALID_RANGE data", "Share__c", { value: 1000 }, "lock.out-of-range", /3 digits/, 1000),
  {
    ...value("INVALID_TYPE_ON_FIELD_IN_RECORD data", "Balance__c", "much", "wrong_type", /`as: number`/),
    sent: { by: "bulk", csv: "Auth0_Id__c,LastName,Balance__c\nauth0|1,Lovelace,much\n" },
  },
  value("JSON_PARSER_ERROR data", "Balance__c", "much", "wrong_type", /`as: number`/),
  value("JSON_PARSER_ERROR data", "Employees__c", 1.5, "wrong_type", /`as: integer`/),
  value("JSON_PARSER_ERROR data", "Birthdate", "yesterday", "wrong_type", /`as: date`/),
  value("JSON_PARSER_ERROR data", "Last_Login__c", "2026-01-30T08:15:00", "wrong_type", /`as: datetime`/),
  value("JSON_PARSER_ERROR data", "HasOptedOutOfEmail", "perhaps", "wrong_type", /`as: boolean`/),
  value("JSON_PARSER_ERROR data", "HasOptedOutOfEmail", null, "not_clearable", /`default`/),
  value("JSON_PARSER_ERROR data", "FirstName", { a: 1 }, "wrong_type", /`as: text`/),
  mapped(
    "JSON_PARSER_ERROR data",
    "Birthdate",
    { from: "created_at", as: "boolean" },
    "lock.wrong-type",
    /a date/,
    true,
  ),
  value("MALFORMED_ID data", "AccountId", "acme", "malformed_id", /external id/),
  mapped("MALFORMED_ID data", "AccountId", { value: "acme" }, "lock.malformed-id", /external id/, "acme"),
  mapped("MALFORMED_ID data", "AccountId", { from: "nickname", default: "a" }, "lock.malformed-id", /15 or 18/, "a"),
  {
    name: "rows are matched by what is no id",
    row: "MALFORMED_ID data",
    key: "Id",
    map: { Id: "user_metadata.value", LastName: "family_name" },
    with: { mode: "update" },
    records: [{ ...user, user_metadata: { value: "acme" } }],
    code: "malformed_id",
    field: "Id",
    fix: /15 or 18/,
    sent: { by: "update", record: { Id: "acme", LastName: "Lovelace" } },
  },
  {
    name: "a query by what is no id",
    row: "INVALID_QUERY_FILTER_OPERATOR config",
    key: "Id",
    map: { Id: "user_metadata.value", LastName: "family_name" },
    with: { mode: "update" },
    records: [{ ...user, user_metadata: { value: "acme" } }],
    code: "malformed_id",
    field: "Id",
    fix: /15 or 18/,
    sent: { by: "query", soql: "SELECT Id FROM Contact WHERE Id IN ('acme')" },
  },
  {
    name: "one key for two records",
    row: "DUPLICATE_VALUE bystander",
    map: person,
    records: [user, { ...user }],
    code: "key_conflict",
    field: "Auth0_Id__c",
    fix: /tells them apart/,
    sent: { by: "upsert", record, times: 2 },
  },
  mapped("INVALID_FIELD config", "Nothing__c", "nickname", "lock.unknown-field", /add the field there/, "x"),
  mapped(
    "INVALID_FIELD_FOR_INSERT_UPDATE config",
    "CreatedDate",
    "created_at",
    "lock.read-only-field",
    /leave it out/,
    "2026-01-30T08:15:00Z",
  ),
  mapped(
    "INVALID_FIELD_FOR_INSERT_UPDATE config",
    "MailingAddress",
    "user_metadata.address",
    "lock.read-only-field",
    /leave it out/,
    {},
  ),
  {
    name: "rows are matched by a field that nothing is looked up by",
    row: "NOT_FOUND config",
    key: "Nickname__c",
    map: { Nickname__c: "nickname", LastName: "family_name" },
    code: "lock.sink",
    field: "Nickname__c",
    at: "key",
    fix: /External ID/,
    sent: { by: "upsert", key: "Nickname__c", record: { LastName: "Lovelace", Nickname__c: "ada" } },
  },
  {
    name: "rows are matched by a field that several records may share",
    row: "DUPLICATE_EXTERNAL_ID ambiguous",
    object: "Subscription__c",
    key: "Legacy_Id__c",
    map: { Legacy_Id__c: "user_id", Name: "family_name" },
    code: "lock.sink",
    field: "Legacy_Id__c",
    at: "key",
    fix: /unique and case-sensitive/,
    sent: { by: "upsert", object: "Subscription__c", key: "Legacy_Id__c", record: { Legacy_Id__c: "twice" } },
  },
  {
    name: "a job has a column that is no field",
    row: "InvalidBatch config",
    map: { ...person, nickname__C: "nickname" },
    code: "lock.wrong-case",
    field: "nickname__C",
    fix: /written otherwise/,
    sent: { by: "bulk", csv: "Auth0_Id__c,LastName,Nickname__c,nickname__C\nauth0|1,Lovelace,a,b\n" },
  },
  {
    name: "the user may not write the object",
    row: "INSUFFICIENT_ACCESS_OR_READONLY access",
    map: person,
    lock: (fields) => {
      for (const [name, field] of Object.entries(fields)) fields[name] = { ...field, writable: false }
    },
    code: "lock.sink",
    field: "",
    at: "crm.Contact",
    fix: /Create and Edit/,
  },
]

/** Why no describe tells the others. */
export const unforeseeable: { readonly [reason: string]: ReadonlyArray<string> } = {
  "of the sign-in and the session": [
    "INVALID_SESSION_ID credentials",
    "INVALID_SESSION_ID session",
    "InvalidSessionId session",
    "INVALID_AUTH_HEADER credentials",
    "INVALID_LOGIN credentials",
    "LOGIN_RATE_EXCEEDED login_rate",
    "InvalidUser config",
    "TXN_SECURITY_NO_ACCESS config",
    "TXN_SECURITY_METERING_ERROR config",
  ],
  "of the organization and the moment": [
    "REQUEST_LIMIT_EXCEEDED crowded",
    "REQUEST_LIMIT_EXCEEDED quota",
    "ExceededQuota quota",
    "SERVER_UNAVAILABLE passing",
    "UNKNOWN_EXCEPTION passing",
    "QUERY_TIMEOUT passing",
    "Timeout passing",
    "Unknown passing",
    "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE maintenance",
    "API_CURRENTLY_DISABLED maintenance",
    "API_DISABLED_FOR_ORG config",
    "ORG_LOCKED config",
    "TRIAL_EXPIRED config",
    "FeatureNotEnabled config",
    "STORAGE_LIMIT_EXCEEDED storage",
  ],
  "of other calls and other rows": [
    "UNABLE_TO_LOCK_ROW lock",
    "TooManyLockFailure lock",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY lock",
    "ALL_OR_NONE_OPERATION_ROLLED_BACK bystander",
    "PROCESSING_HALTED bystander",
  ],
  "of the records that are there": [
    "DUPLICATES_DETECTED duplicates",
    "CANNOT_UPDATE_CONVERTED_LEAD converted",
    "INVALID_FIELD no_parent",
    "ENTITY_IS_DELETED stale",
    "NOT_FOUND stale",
    "INVALID_CROSS_REFERENCE_KEY stale",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY stale",
    "DUPLICATE_VALUE data",
    "INACTIVE_OWNER_OR_USER data",
    "ENTITY_IS_LOCKED data",
    "INVALID_PERSON_ACCOUNT_OPERATION config",
  ],
  "of code, rules and settings that a describe does not hold": [
    " smaller",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY smaller",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY data",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION data",
    "FIELD_FILTER_VALIDATION_EXCEPTION data",
    "FIELD_INTEGRITY_EXCEPTION data",
  ],
  "of an object that is not there: it has no describe to save, as `schema --lock` says": ["INVALID_TYPE config"],
  "of calls that no file and no row shapes": [
    "UNSUPPORTED_API_VERSION config",
    "METHOD_NOT_ALLOWED config",
    "MALFORMED_QUERY config",
    "QUERY_TOO_COMPLICATED config",
    "ClientInputError config",
    "InvalidJob config",
    "InvalidJobState config",
  ],
}
