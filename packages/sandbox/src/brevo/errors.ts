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

/** Without Retry-After: only the vendor's own headers say when. */
export const tooMany = (headers: { readonly [name: string]: string }): SandboxAnswer =>
  json(429, { code: "too_many_requests", message: "The rate limit is exceeded" }, headers)
