/** Persona as a sink: accounts, compared in bulk and written where they differ, and cases. */
import { makeApi, type Sink, SinkError, type WriterRequest } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Hash from "effect/Hash"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import { standardFields } from "./accounts/fields.ts"
import { makeAccountWriter } from "./accounts/writer.ts"
import { makePersonaApi } from "./api.ts"
import { caseFields } from "./cases/fields.ts"
import { makeCaseWriter } from "./cases/writer.ts"
import { AccountOptions, CaseOptions, DEFAULT_SHARE, limits, PersonaConfig } from "./config.ts"
import { makeEnvironment } from "./environment.ts"
import { classify, classifyPost, readLimit, stop } from "./errors.ts"

export { AccountOptions, CaseOptions, PersonaConfig }

const accounts = {
  description:
    "Accounts, matched by reference_id: your own id of the person, never an e-mail address. Fields: reference_id, the names, address and contact data that Persona has for everybody, tags, and the account type's own fields as fields.NAME, spelled as in the type. null clears a field. on_delete: redact deletes the person's data at Persona for good, that of their inquiries, verifications and reports included; it needs `--allow-deletes`.",
  options: AccountOptions,
  deletes: ["redact"],
  irreversible: ["redact"],
  key: "reference_id",
  fields: standardFields,
}

const cases = {
  description:
    "Cases, opened from a template for the records that `where` lets through, once for each case_key. Fields: case_key (your own id of the case, which stays here), account_reference_id (links the account of that reference id), and the template's own fields as fields.NAME.",
  options: CaseOptions,
  deletes: [],
  key: "case_key",
  fields: caseFields,
}

/**
 * Version and casing are the key's in Persona's dashboard unless a request says otherwise, and somebody may change them
 * there.
 */
const pinned = { "persona-version": "2025-12-08", "key-inflection": "kebab", accept: "application/json" }

export const sink: Sink<PersonaConfig> = {
  name: "persona",
  config: PersonaConfig,
  objects: { accounts, cases },
  open: Effect.fnUntraced(function* (config, endpoint) {
    const share = endpoint.share ?? DEFAULT_SHARE
    const key = Redacted.value(config.api_key)
    const environment = makeEnvironment(config)
    const common = {
      baseUrl: endpoint.baseUrl ?? "https://api.withpersona.com/api/v1",
      insecure: endpoint.insecure,
      share,
      limits,
      // Keys of one environment share its limit, but which environment it is only an answer tells.
      account: `persona:${Hash.string(key)}`,
      readLimit,
      authorize: (request: HttpClientRequest.HttpClientRequest) =>
        Effect.succeed(HttpClientRequest.bearerToken(HttpClientRequest.setHeaders(request, pinned), key)),
    }
    const opened = Effect.all({
      calls: makeApi({ ...common, classify: environment.checked(classify) }),
      posts: makeApi({ ...common, classify: environment.checked(classifyPost) }),
    })
    const api = makePersonaApi(yield* Effect.mapError(opened, (reason) => new SinkError({ reason })))
    const identity = environment.identity(api.rateLimits)
    return {
      identify: identity,
      writer: (object: string, request: WriterRequest<AccountOptions & CaseOptions>) =>
        Effect.gen(function* () {
          const callsPerSecond = (limits.calls.limit * share) / (limits.calls.windowMillis / 1000)
          const lines = { api, identity, callsPerSecond }
          if (object === "accounts") return yield* makeAccountWriter(lines, request)
          if (object === "cases") return yield* makeCaseWriter(lines, request)
          return yield* stop(`Persona has no object ${object} here; accounts and cases are the ones`, [])
        }),
    }
  }),
}
