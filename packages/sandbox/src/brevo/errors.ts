/** Brevo's error answers, brevo.md §2 and §7. */
import { json, type SandboxAnswer } from "../exchange.ts"
import type { IdentifierName } from "./contacts.ts"

export const failure = (status: number, code: string, message: string): SandboxAnswer => json(status, { code, message })

export const invalid = (message: string): SandboxAnswer => failure(400, "invalid_parameter", message)

export const missing = (message: string): SandboxAnswer => failure(400, "missing_parameter", message)

export const noContact = (): SandboxAnswer => failure(404, "document_not_found", "Contact does not exist")

/** The code changed from duplicate_parameter in May 2026; the metadata is what counts. */
export const duplicate = (verb: "create" | "update", names: ReadonlyArray<IdentifierName>): SandboxAnswer =>
  json(400, {
    code: "invalid_parameter",
    message: `Unable to ${verb} contact, ${names.join(", ")} is already associated with another Contact`,
    metadata: { duplicate_identifiers: names },
  })

/** What Brevo says with a status that no request of its own has earned. */
const troubles: { readonly [status: number]: readonly [code: string, message: string] } = {
  401: [
    "unauthorized",
    "We have detected you are using an unrecognised IP address 192.0.2.1. Add the new IP address to the authorised ones.",
  ],
  402: ["not_enough_credits", "Insufficient credits"],
  403: ["permission_denied", "The account is under validation"],
  425: ["account_in_process", "The account is in process, try again later"],
}

export const trouble = (status: number): SandboxAnswer =>
  failure(status, ...(troubles[status] ?? (["internal_error", "An internal error occurred"] as const)))

/** Without Retry-After: only the vendor's own headers say when. */
export const tooMany = (headers: { readonly [name: string]: string }): SandboxAnswer =>
  json(429, { code: "too_many_requests", message: "The rate limit is exceeded" }, headers)
