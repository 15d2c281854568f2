/** The control routes below `/control/persona`. */
import { json, type SandboxAnswer, type SandboxRequest } from "../exchange.ts"
import type { PersonaControl } from "./persona.ts"

/** `undefined`: no such route. */
export const personaControlRoutes = (control: PersonaControl, request: SandboxRequest): SandboxAnswer | undefined => {
  switch (`${request.method} ${request.path}`) {
    case "GET /persona/accounts":
      return json(200, control.accounts())
    case "GET /persona/cases":
      return json(200, control.cases())
    case "GET /persona/journal":
      return json(200, control.journal())
    default:
      return undefined
  }
}
