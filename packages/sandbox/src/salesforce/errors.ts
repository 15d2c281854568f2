/** Salesforce's error answers, salesforce.md §4: an array for a request, `statusCode` for a row, OAuth's own for tokens. */
import { json, type SandboxAnswer } from "../exchange.ts"

/** Why one row was not written. */
export interface RowError {
  readonly statusCode: string
  readonly message: string
  readonly fields: ReadonlyArray<string>
  /** The matches of a duplicate rule. */
  readonly duplicateResult?: unknown
}

export const rowError = (statusCode: string, message: string, fields: ReadonlyArray<string> = []): RowError => ({
  statusCode,
  message,
  fields,
})

/** Of a whole request. */
export const failure = (
  status: number,
  errorCode: string,
  message: string,
  fields?: ReadonlyArray<string>,
): SandboxAnswer => json(status, [{ message, errorCode, ...(fields === undefined ? {} : { fields }) }])

/** A row's error as the single record endpoints tell it. */
export const singleError = ({ statusCode, message, fields, duplicateResult }: RowError): SandboxAnswer => {
  const status = statusCode === "NOT_FOUND" || statusCode === "ENTITY_IS_DELETED" ? 404 : 400
  return json(status, [
    { message, errorCode: statusCode, fields, ...(duplicateResult === undefined ? {} : { duplicateResult }) },
  ])
}

/** `CODE:message:FIELD,FIELD --`, as a row of failedResults has it. */
export const bulkError = ({ statusCode, message, fields }: RowError): string =>
  `${statusCode}:${message}:${fields.join(",")} --`

/** The token endpoint speaks OAuth. */
export const oauthFailure = (error: string, description: string, status = 400): SandboxAnswer =>
  json(status, { error, error_description: description })

export const expired = (): SandboxAnswer => failure(401, "INVALID_SESSION_ID", "Session expired or invalid")

export const notFound = (): SandboxAnswer => failure(404, "NOT_FOUND", "The requested resource does not exist")

export const badJson = (message = "Unexpected character in the request body"): SandboxAnswer =>
  failure(400, "JSON_PARSER_ERROR", message)

const exceeded = {
  daily: "TotalRequests Limit exceeded.",
  concurrent: "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
}

/** One code for two things: come back tomorrow, or in a second. */
export const limitExceeded = (limit: keyof typeof exceeded): SandboxAnswer =>
  failure(403, "REQUEST_LIMIT_EXCEEDED", exceeded[limit])

/** What Salesforce says with a status that no request of its own has earned. 502 to 504 are a gateway's HTML. */
const troubles: { readonly [status: number]: readonly [code: string, message: string] } = {
  401: ["INVALID_SESSION_ID", "Session expired or invalid"],
  403: ["API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization."],
  404: ["NOT_FOUND", "The requested resource does not exist"],
  405: ["METHOD_NOT_ALLOWED", "HTTP Method not allowed"],
  410: ["UNSUPPORTED_API_VERSION", "The requested API version is no longer supported"],
  420: ["SERVER_UNAVAILABLE", "The server is too busy"],
}

export const trouble = (status: number): SandboxAnswer =>
  failure(
    status,
    ...(troubles[status] ??
      (["UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId: sandbox"] as const)),
  )
