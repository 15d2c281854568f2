/** The control routes: what a person or another process switches and reads while the sandbox runs. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ChangePlan } from "./changes.ts"
import type { Counters } from "./counters.ts"
import {
  type Delivery,
  deliver,
  empty,
  type Handler,
  isObject,
  json,
  parseJson,
  type SandboxAnswer,
  type SandboxRequest,
} from "./exchange.ts"
import { FaultRule } from "./faults.ts"
import { personaControlRoutes } from "./persona/control.ts"
import { salesforceControlRoutes } from "./salesforce/control.ts"
import type { Control } from "./sandbox.ts"
import { isUserFields } from "./users/directory.ts"

/** Switches that hit no single request. */
const Switch = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("expired_tokens") }),
  Schema.Struct({ kind: Schema.Literal("index_lag"), millis: Schema.Int }),
  Schema.Struct({ kind: Schema.Literal("imports_take"), millis: Schema.Int }),
  Schema.Struct({ kind: Schema.Literal("changes"), plan: Schema.NullOr(ChangePlan) }),
])

const decodeRules = Schema.decodeUnknownOption(Schema.Array(Schema.Union([FaultRule, Switch])))

const UserChanges = Schema.Struct({
  upsert: Schema.optionalKey(Schema.Array(Schema.Unknown)),
  delete: Schema.optionalKey(Schema.Array(Schema.String)),
})
const decodeUsers = Schema.decodeUnknownOption(UserChanges)

const refusal = (message: string): SandboxAnswer => json(400, { error: message })

const addFaults = (control: Control, body: unknown): SandboxAnswer => {
  const rules = decodeRules(Array.isArray(body) ? body : [body])
  if (Option.isNone(rules)) return refusal("not a fault: see faults.ts for the shapes")
  for (const rule of rules.value) {
    if ("vendor" in rule) control.faults.add(rule)
    else if (rule.kind === "expired_tokens") control.expireTokens()
    else if (rule.kind === "index_lag") control.indexLag(rule.millis)
    else if (rule.kind === "imports_take") control.importsTake(rule.millis)
    else control.changes(rule.plan ?? undefined)
  }
  return json(200, { faults: control.faults.fired() })
}

const changeUsers = (control: Control, body: unknown): SandboxAnswer => {
  const changes = decodeUsers(body)
  if (Option.isNone(changes)) return refusal("expected { upsert?: [user], delete?: [user_id] }")
  const upserts = (changes.value.upsert ?? []).filter(isUserFields)
  if (upserts.length !== (changes.value.upsert ?? []).length) return refusal("every user to upsert needs a user_id")
  return json(200, {
    upserted: upserts.map((fields) => control.upsertUser(fields)),
    deleted: (changes.value.delete ?? []).filter((userId) => control.deleteUser(userId)),
  })
}

const summary = (control: Control, counters: Counters): SandboxAnswer =>
  json(200, {
    users: control.userCount(),
    contacts: control.contacts().length,
    writes: control.journal().length,
    mails: control.mails(),
    requests: counters.requests,
    routes: Object.fromEntries(counters.routes),
    statuses: Object.fromEntries(counters.statuses),
    unmodelled: counters.unmodelled,
  })

const page = <A>(items: ReadonlyArray<A>, query: URLSearchParams): ReadonlyArray<A> => {
  const offset = Number(query.get("offset") ?? 0)
  return items.slice(offset, offset + Number(query.get("limit") ?? items.length))
}

/** At most 1,000 at once unless asked for more: a tenant may hold a million. */
const usersPage = (control: Control, query: URLSearchParams) =>
  control
    .users()
    .drop(Number(query.get("offset") ?? 0))
    .take(Number(query.get("limit") ?? 1_000))
    .toArray()

const answer = (control: Control, counters: Counters, request: SandboxRequest): SandboxAnswer => {
  const body = request.body === "" ? {} : parseJson(request.body)
  if (!isObject(body) && !Array.isArray(body)) return refusal("the body is not JSON")
  switch (`${request.method} ${request.path}`) {
    case "GET /":
      return summary(control, counters)
    case "POST /users":
      return changeUsers(control, body)
    case "GET /users":
      return json(200, usersPage(control, request.query))
    case "GET /journal":
      return json(200, page(control.journal(), request.query))
    case "GET /contacts":
      return json(200, page(control.contacts(), request.query))
    case "GET /unmodelled":
      return json(200, counters.unmodelled)
    case "POST /faults":
      return addFaults(control, body)
    case "GET /faults":
      return json(200, { faults: control.faults.fired() })
    case "DELETE /faults":
      control.faults.clear()
      control.changes(undefined)
      return empty(204)
    case "POST /reset":
      control.reset()
      return empty(204)
    default:
      return (
        salesforceControlRoutes(control.salesforce, request, body) ??
        personaControlRoutes(control.persona, request) ??
        json(404, { error: "no such control route" })
      )
  }
}

export const makeControlHandler =
  (control: Control, counters: Counters): Handler =>
  (request): Delivery =>
    deliver(answer(control, counters, request))
