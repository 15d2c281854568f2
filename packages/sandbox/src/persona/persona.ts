/** A fake Persona environment: account types, accounts with tags, cases, one rate limit, idempotency keys. persona.md */
import type { Counters } from "../counters.ts"
import {
  type Delivery,
  type Handler,
  type JsonObject,
  json,
  type Now,
  type SandboxAnswer,
  type SandboxRequest,
} from "../exchange.ts"
import type { Faults } from "../faults.ts"
import type { SandboxOptions } from "../options.ts"
import { makeVendor, type Route } from "../vendor.ts"
import { accountRoutes } from "./accountRoutes.ts"
import { makeAccounts, type PersonaAccount, viewOf } from "./accounts.ts"
import { makeCases, type PersonaCase } from "./cases.ts"
import { type Environment, typesOf } from "./environment.ts"
import { failure, notFound, trouble } from "./errors.ts"
import { makeGate } from "./gate.ts"
import { makeIdempotency } from "./idempotency.ts"
import { type Inflection, inflect } from "./inflection.ts"
import { makePersonaJournal, type PersonaEntry } from "./journal.ts"
import { headersOf, makeEnvironmentLimit } from "./limits.ts"
import { typeAnswer } from "./types.ts"
import { applyAttributes } from "./write.ts"

/** What tests and people do in the environment behind the API's back. */
export interface PersonaControl {
  readonly accounts: () => ReadonlyArray<PersonaAccount>
  /** By reference id. */
  readonly account: (referenceId: string) => PersonaAccount | undefined
  /** Makes an account, past all limits; `type` by id. */
  readonly create: (referenceId: string, attributes: JsonObject, type?: string) => string
  readonly edit: (referenceId: string, attributes: JsonObject) => void
  readonly redact: (referenceId: string) => void
  /** As a consolidation leaves the source: out of every list, and out of use. */
  readonly archive: (referenceId: string) => void
  readonly cases: () => ReadonlyArray<PersonaCase>
  readonly removeCase: (id: string) => void
  readonly journal: () => ReadonlyArray<PersonaEntry>
  /** People are being verified: so many requests of the environment's limit are used up. */
  readonly liveChecks: (requests: number) => void
}

export interface Persona {
  readonly handler: Handler
  readonly control: PersonaControl
}

export interface PersonaParts {
  readonly options: SandboxOptions
  readonly now: Now
  readonly counters: Counters
  readonly faults: Faults
}

export const makePersona = ({ options, now, counters, faults }: PersonaParts): Persona => {
  const own = options.persona ?? {}
  const environment: Environment = {
    accounts: makeAccounts(now),
    types: typesOf(own.fields),
    journal: makePersonaJournal(now, options.journalLimit ?? 200_000),
    options: { upsertBy: own.upsertBy ?? "reference-id", nullClears: own.nullClears ?? true },
    now,
  }
  const { accounts, types, journal } = environment
  const cases = makeCases(environment)
  const limit = makeEnvironmentLimit(options.limits)
  const idempotency = makeIdempotency(now)

  const routes: ReadonlyArray<Route> = [
    {
      method: "GET",
      pattern: "/rate-limits",
      kind: "read",
      run: () => {
        const { limit: most, remaining, resetMillis } = limit.state(now())
        const attributes = { limit: most, remaining, "seconds-to-reset": Math.ceil(resetMillis / 1000) }
        return json(200, { data: [{ type: "rate-limit/api", id: "rl_sandbox", attributes }] })
      },
    },
    {
      method: "GET",
      pattern: "/account-types/:id",
      kind: "read",
      run: (_, [id = ""]) => {
        const type = types.get(id)
        return type === undefined ? notFound() : json(200, typeAnswer(type, new Date(now()).toISOString()))
      },
    },
    ...accountRoutes(environment),
    ...cases.routes,
  ]

  /** What Persona answers by itself, before anything befalls it on its way. */
  let made: SandboxAnswer | undefined
  const noting = ({ run, ...route }: Route): Route => ({
    ...route,
    run: (...asked) => {
      made = run(...asked)
      return made
    },
  })

  const handler = makeVendor({
    vendor: "persona",
    routes: routes.map(noting),
    gate: makeGate({ account: options.account ?? "sandbox", limit, idempotency }),
    throttled: ({ resetSeconds = 1, bare }) => {
      const answer = failure(429, "Rate limit exceeded", "Too many requests")
      const headers = headersOf({ allowed: false, limit: 300, remaining: 0, resetMillis: resetSeconds * 1000 })
      return bare === true ? answer : { ...answer, headers: { ...answer.headers, ...headers } }
    },
    failed: trouble,
    refused: ({ status, code, message = code }) => failure(status, code, message),
    faults,
    counters,
    now,
  })

  const holding = (referenceId: string) => {
    const [account] = accounts.all().filter((each) => each.referenceId === referenceId)
    if (account === undefined) throw new Error("no such account in the sandbox")
    return account
  }

  return {
    handler: (request) => {
      made = undefined
      const delivery = handler(request)
      idempotency.keep(
        request,
        made !== undefined && delivery.answer.status < 500 ? { ...delivery, answer: made } : delivery,
      )
      return inflected(request, delivery, own.inflection ?? "kebab")
    },
    control: {
      accounts: () => accounts.all().map(viewOf),
      account: (referenceId) => {
        const found = accounts.all().find((each) => each.referenceId === referenceId)
        return found === undefined ? undefined : viewOf(found)
      },
      create: (referenceId, attributes, type) => {
        const account = accounts.create(types.get(type ?? types.defaultId))
        accounts.refer(account, referenceId)
        applyAttributes(account, attributes, true)
        return account.id
      },
      edit: (referenceId, attributes) => applyAttributes(holding(referenceId), attributes, true),
      redact: (referenceId) => {
        const account = holding(referenceId)
        account.redactedAt = new Date(now()).toISOString()
        account.attributes.clear()
        account.fields.clear()
      },
      archive: (referenceId) => {
        holding(referenceId).archivedAt = new Date(now()).toISOString()
      },
      cases: cases.all,
      removeCase: (id) => void cases.remove(id),
      journal: journal.entries,
      liveChecks: (requests) => limit.used(requests, now()),
    },
  }
}

const isInflection = (value: string | undefined): value is Inflection =>
  value === "kebab" || value === "camel" || value === "snake"

const inflected = ({ headers }: SandboxRequest, delivery: Delivery, preset: Inflection): Delivery => {
  const asked = headers["key-inflection"]
  const inflection = isInflection(asked) ? asked : preset
  if (inflection === "kebab" || !delivery.answer.headers["content-type"]?.includes("json")) return delivery
  const body = JSON.stringify(inflect(JSON.parse(delivery.answer.body), inflection))
  return { ...delivery, answer: { ...delivery.answer, body } }
}
