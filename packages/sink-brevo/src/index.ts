/** Brevo as a sink: contacts, written one by one with an exact answer for each, or imported by thousands. */
import { makeApi, makeDownloads, type Sink, SinkError, type WriterRequest } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Hash from "effect/Hash"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import { makeBrevoApi } from "./api.ts"
import { ownFields } from "./attributes.ts"
import { BrevoConfig, ContactOptions, DEFAULT_SHARE, limitsOf } from "./config.ts"
import { type Lines, makeContactWriter } from "./contacts.ts"
import { classify, readLimit, says, stop } from "./errors.ts"
import type { Account } from "./shapes.ts"
import { policies } from "./withdraw.ts"

export { BrevoConfig, ContactOptions }

const contacts = {
  description:
    "Contacts, matched by ext_id (your own id), e-mail or phone number. Fields: ext_id, email, listIds, emailBlacklisted, smsBlacklisted and the account's attributes in upper case. null clears an attribute. on_delete: delete removes the contact, unlink takes it off the route's lists, blocklist stops e-mail and SMS campaigns to it.",
  options: ContactOptions,
  deletes: policies,
  key: "ext_id",
  fields: ownFields,
}

/** `organization_id` is the account whichever key asks; older answers have the login's id only. */
const accountOf = (account: Account) =>
  account.organization_id === undefined ? `user:${account.user_id}` : String(account.organization_id)

export const sink: Sink<BrevoConfig> = {
  name: "brevo",
  config: BrevoConfig,
  objects: { contacts },
  open: Effect.fnUntraced(function* (config, endpoint) {
    const limits = limitsOf(config.tier)
    const share = endpoint.share ?? DEFAULT_SHARE
    const baseUrl = endpoint.baseUrl ?? "https://api.brevo.com/v3"
    const key = Redacted.value(config.api_key)
    const api = yield* makeApi({
      baseUrl,
      insecure: endpoint.insecure,
      share,
      limits: { ...limits },
      // The account is not known yet: connections with one key share its limits.
      account: `brevo:${Hash.string(key)}`,
      readLimit,
      authorize: (request) =>
        Effect.succeed(HttpClientRequest.setHeaders(request, { "api-key": key, accept: "application/json" })),
      classify,
      says,
    }).pipe(Effect.mapError((reason) => new SinkError({ reason })))
    const brevo = makeBrevoApi(api)
    const lines: Lines = {
      api: brevo,
      rates: { callsPerSecond: limits.contacts.limit * share, looksPerHour: limits.processes.limit * share },
      reports: { downloads: yield* makeDownloads, host: new URL(baseUrl).host, insecure: endpoint.insecure },
    }
    return {
      identify: Effect.map(brevo.account, (account) => ({
        account: accountOf(account),
        label: account.companyName || "Brevo account",
      })),
      writer: (object: string, request: WriterRequest<ContactOptions>) =>
        object === "contacts"
          ? makeContactWriter(lines, request)
          : Effect.fail(stop(`Brevo has no object ${object} here; contacts is the one`, [])),
    }
  }),
}
