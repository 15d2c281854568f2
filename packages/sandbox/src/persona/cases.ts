/** Cases: opened from a template, and never the same one twice unless an idempotency key says so. persona.md §3 */
import { isObject, json, own, type SandboxAnswer, type SandboxRequest } from "../exchange.ts"
import type { Route } from "../vendor.ts"
import { isAnswer, readBody } from "./accountRoutes.ts"
import type { Environment } from "./environment.ts"
import { badRequest, notFound } from "./errors.ts"

export interface PersonaCase {
  readonly id: string
  readonly template: string
  readonly objects: ReadonlyArray<string>
  readonly fields: { readonly [name: string]: unknown }
  readonly slaSeconds: number | undefined
}

export const caseTemplate = "ctmpl_sandboxBlocked"

const NINETY_DAYS = 90 * 86_400

export const makeCases = ({ accounts, journal }: Environment) => {
  const cases = new Map<string, PersonaCase>()

  const answer = (status: number, { id, template, fields, objects }: PersonaCase): SandboxAnswer =>
    json(status, {
      data: {
        type: "case",
        id,
        attributes: { status: "Open", "case-template-id": template, fields },
        relationships: { objects },
      },
    })

  const note = (request: SandboxRequest, id: string, effect: "created" | "updated") =>
    journal.add({
      method: request.method,
      path: request.path,
      id,
      key: undefined,
      effect,
      idempotencyKey: request.headers["idempotency-key"],
      body: request.body,
    })

  const open = (request: SandboxRequest): SandboxAnswer => {
    const body = readBody(request)
    if (isAnswer(body)) return body
    const fields = own(body.attributes, "fields") ?? {}
    const template = own(body.attributes, "case-template-id")
    if (template === undefined) return badRequest("data.attributes.case-template-id is missing")
    if (template !== caseTemplate) return notFound()
    if (!isObject(fields)) return badRequest("data.attributes.fields must be an object")
    const objects = own(body.meta, "object-ids") ?? []
    if (!Array.isArray(objects) || !objects.every((id) => accounts.get(String(id)) !== undefined)) {
      return badRequest("meta.object-ids has an object that does not exist")
    }
    const sla = own(body.meta, "sla-expires-in-seconds")
    if (sla !== undefined && !(typeof sla === "number" && sla > 0 && sla <= NINETY_DAYS)) {
      return badRequest("meta.sla-expires-in-seconds must be at most 90 days")
    }
    const made: PersonaCase = {
      id: `case_sandbox${String(cases.size + 1).padStart(6, "0")}`,
      template: caseTemplate,
      objects: objects.map(String),
      fields,
      slaSeconds: typeof sla === "number" ? sla : undefined,
    }
    cases.set(made.id, made)
    note(request, made.id, "created")
    return answer(201, made)
  }

  const change = (request: SandboxRequest, id: string): SandboxAnswer => {
    const held = cases.get(id)
    const body = readBody(request)
    if (isAnswer(body)) return body
    const fields = own(body.attributes, "fields") ?? {}
    if (held === undefined) return notFound()
    if (!isObject(fields)) return badRequest("data.attributes.fields must be an object")
    const changed = { ...held, fields: { ...held.fields, ...fields } }
    cases.set(id, changed)
    note(request, id, "updated")
    return answer(200, changed)
  }

  const routes: ReadonlyArray<Route> = [
    { method: "POST", pattern: "/cases", kind: "write", run: open },
    { method: "PATCH", pattern: "/cases/:id", kind: "write", run: (request, [id = ""]) => change(request, id) },
    {
      method: "GET",
      pattern: "/cases/:id",
      kind: "read",
      run: (_, [id = ""]) => {
        const held = cases.get(id)
        return held === undefined ? notFound() : answer(200, held)
      },
    },
  ]
  return {
    routes,
    all: (): ReadonlyArray<PersonaCase> => [...cases.values()],
    remove: (id: string) => cases.delete(id),
  }
}
