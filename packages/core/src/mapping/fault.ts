/** Why one value of one record cannot be used. A value, not an exception; the mapping makes an issue of it. */
export class Fault {
  readonly code: string
  /** Continues "COMPANY": `is a list, not text`. Names types, never the value. */
  readonly message: string

  constructor(code: string, message: string) {
    this.code = code
    this.message = message
  }
}

/** The type of a JSON value, for messages. */
export function typeName(value: unknown): string {
  if (value === null) return "null"
  if (Array.isArray(value)) return "a list"
  switch (typeof value) {
    case "string":
      return "text"
    case "number":
      return "a number"
    case "boolean":
      return "a boolean"
    case "object":
      return "an object"
    default:
      return "no JSON value"
  }
}
