/** The Management API's error answers, auth0.md §1.2, §3.1 and §5. */
import { json, type SandboxAnswer } from "../exchange.ts"

const titles: { readonly [status: number]: string } = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  414: "Request-URI Too Large",
  429: "Too Many Requests",
  500: "Internal Server Error",
}

export const failure = (status: number, message: string, errorCode?: string): SandboxAnswer =>
  json(status, {
    statusCode: status,
    error: titles[status] ?? "Error",
    message,
    ...(errorCode === undefined ? {} : { errorCode }),
  })

export const tooMany = (headers: { readonly [name: string]: string }): SandboxAnswer => {
  const answer = failure(429, "Global limit has been reached", "too_many_requests")
  return { ...answer, headers: { ...answer.headers, ...headers } }
}

export const pagingWall = (): SandboxAnswer =>
  failure(
    400,
    "You can only page through the first 1000 records. See https://auth0.com/docs/users/search/v3/view-search-results-by-page#limitation",
    "invalid_paging",
  )

export const badQuery = (message: string): SandboxAnswer =>
  failure(400, `Query validation error: ${message}`, "invalid_query_string")

export const noUser = (): SandboxAnswer => failure(404, "The user does not exist.", "inexistent_user")

/** The token endpoint speaks OAuth. */
export const oauthFailure = (status: number, error: string, description: string): SandboxAnswer =>
  json(status, { error, error_description: description })
