/** Salesforce as a sink: any object, by sObject Collections, Composite or Bulk API 2.0. */
import { makeApi, type Sink, SinkError, type WriterRequest } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Hash from "effect/Hash"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { DEFAULT_SHARE, limits, SalesforceConfig } from "./config.ts"
import { connect } from "./connection.ts"
import { makeDescribe } from "./describe/describe.ts"
import { classifyToken, stop } from "./errors.ts"
import { makeClaims } from "./match/claims.ts"
import { ObjectOptions } from "./options.ts"
import { makeQuota } from "./quota.ts"
import { rules } from "./rules.ts"
import { makeGrant } from "./signin/grants.ts"
import { isLogin, standIn } from "./signin/hosts.ts"
import { makeSessions } from "./signin/session.ts"
import { makePace } from "./write/pace.ts"
import { type Lines, makeWriter } from "./writer.ts"

export { ObjectOptions, SalesforceConfig }

const object = {
  description:
    "Records of an object, named as the API names it: Lead, Contact, Account, Task, My_Thing__c. Matched by an External ID field that is unique and case-sensitive. Fields are the object's own; a record it points to is given by that one's external id: Account.Auth0_Org_Id__c, or Contact:Who.Auth0_Id__c where several objects can be meant. null clears a field. on_delete: delete puts the record into the recycle bin.",
  options: ObjectOptions,
  deletes: ["delete"],
  rules,
}

const isObjectName = (name: string): boolean => /^[A-Za-z]\w{0,79}$/.test(name)

export const sink: Sink<SalesforceConfig> = {
  name: "salesforce",
  config: SalesforceConfig,
  objects: (name) => (isObjectName(name) ? object : undefined),
  open: Effect.fnUntraced(function* (config, endpoint) {
    const { insecure } = endpoint
    const baseUrl = standIn(config.login_url, endpoint.baseUrl)
    if (baseUrl === undefined && !isLogin(config.login_url)) {
      return yield* stop("login_url is no address of Salesforce's: credentials are not sent there", ["login_url"])
    }
    // The organization is not known yet: connections of one app share its limits.
    const account = `salesforce:${Hash.string(`${config.login_url} ${config.client_id}`)}`
    const opened = Effect.gen(function* () {
      const grant = yield* makeGrant(config)
      const tokens = yield* makeApi({
        baseUrl: baseUrl ?? config.login_url,
        insecure,
        share: 1,
        limits,
        account,
        readLimit: () => undefined,
        authorize: (request) =>
          Effect.map(grant.form, (form) =>
            HttpClientRequest.bodyUrlParams(HttpClientRequest.setHeader(request, "accept", "application/json"), form),
          ),
        classify: classifyToken,
        timeoutMillis: 60_000,
      })
      return makeSessions(tokens, grant, baseUrl)
    })
    const sessions = yield* Effect.mapError(opened, (reason) => new SinkError({ reason }))
    const share = endpoint.share ?? DEFAULT_SHARE
    const quota = makeQuota(share, config.on_quota)
    const pace = makePace(config.concurrency)
    const connected = yield* connect({ sessions, quota, pace, version: config.api_version, insecure, account })
    const lines: Lines = {
      config,
      connected,
      quota,
      share,
      pace,
      describe: makeDescribe(connected),
      claims: makeClaims(),
    }
    return {
      identify: Effect.map(connected.session, ({ organization, instance }) => ({
        account: organization,
        label: new URL(instance).host,
      })),
      writer: (name: string, request: WriterRequest<ObjectOptions>) => makeWriter(lines, name, request),
    }
  }),
}
