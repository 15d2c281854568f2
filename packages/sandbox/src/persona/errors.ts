/** Persona's error answers, persona.md §2 and §6: a title and `details`, no code. */
import { json, type SandboxAnswer } from "../exchange.ts"

export const failure = (status: number, title: string, details: string, pointer?: string): SandboxAnswer =>
  json(status, { errors: [{ title, details, ...(pointer === undefined ? {} : { source: { pointer } }) }] })

export const badRequest = (details: string): SandboxAnswer => failure(400, "Bad Request", details)

export const notFound = (): SandboxAnswer => failure(404, "Record not found", "The record does not exist")

export const notUnique = (): SandboxAnswer =>
  failure(409, "Record not unique", "A record with this reference ID already exists")

export const invalid = (details: string, pointer: string): SandboxAnswer =>
  failure(422, "Record invalid", details, pointer)

const titles: { readonly [status: number]: string } = {
  401: "Must be authenticated to access this endpoint",
  403: "Forbidden",
  408: "Request Timeout",
}

/** What Persona says with a status that no request of its own has earned. */
export const trouble = (status: number): SandboxAnswer =>
  failure(status, titles[status] ?? "Internal Server Error", "Something went wrong")
