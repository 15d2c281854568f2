/**
 * The fake Salesforce org, below `/services` of the sandbox's origin, from salesforce.md and the vendor's own pages:
 *
 * - POST /services/oauth2/token (client_credentials, JWT bearer, refresh_token), /introspect, /revoke
 * - GET /services/data, without a session and free; below, `v` is /services/data/vNN.0 of 31 to 68
 * - GET v/limits, v/limits/recordCount, v/sobjects, v/sobjects/{object}, v/sobjects/{object}/describe
 * - POST v/sobjects/{object}; GET, PATCH, DELETE v/sobjects/{object}/{id}; GET, PATCH v/sobjects/{object}/{field}/{value}
 * - POST, PATCH, DELETE v/composite/sobjects; PATCH v/composite/sobjects/{object}/{field};
 *   GET, POST v/composite/sobjects/{object}
 * - POST v/composite, v/composite/batch, v/composite/graph
 * - GET v/query, v/queryAll, v/query/{locator}
 * - POST (multipart as well), GET v/jobs/ingest; GET, PATCH, DELETE v/jobs/ingest/{id}; PUT v/jobs/ingest/{id}/batches;
 *   GET v/jobs/ingest/{id}/successfulResults, /failedResults, /unprocessedrecords
 *
 * What it does not model, SOQL included, is 501. `control.salesforce` makes records, rules, triggers and locks.
 */
import type { Counters } from "../counters.ts"
import type { Delivery, Handler, Now, SandboxRequest } from "../exchange.ts"
import type { Faults } from "../faults.ts"
import type { SandboxOptions } from "../options.ts"
import { makeDice } from "../random.ts"
import { makeVendor, type Route, routerOf } from "../vendor.ts"
import { makeIngest } from "./bulk/ingest.ts"
import { collectionRoutes } from "./collections.ts"
import { compositeRoutes, type Dispatch } from "./composite.ts"
import { makeSalesforceControl, type SalesforceControl } from "./control.ts"
import { describeRoutes } from "./describe.ts"
import { failure, limitExceeded, notFound, oauthFailure, trouble } from "./errors.ts"
import { makeGate, versionsRoute } from "./gate.ts"
import { makeSalesforceJournal } from "./journal.ts"
import { makeOrg } from "./org.ts"
import { makeQuery } from "./query.ts"
import { recordRoutes } from "./records.ts"
import { makeSession } from "./session.ts"
import { makeTokens } from "./tokens.ts"
import { limitRoutes, makeUsage } from "./usage.ts"

export type { SalesforceControl } from "./control.ts"

export interface Salesforce {
  readonly handler: Handler
  readonly control: SalesforceControl
  readonly expireSessions: () => void
}

export interface SalesforceOptions {
  readonly options: SandboxOptions
  readonly now: Now
  readonly counters: Counters
  readonly faults: Faults
}

export const makeSalesforce = ({ options, now, counters, faults }: SalesforceOptions): Salesforce => {
  const own = options.salesforce ?? {}
  const dice = makeDice(options.seed, 61)
  const org = makeOrg({ personAccounts: own.personAccounts ?? false, custom: own.fields ?? [], now, dice })
  const session = makeSession(org, makeSalesforceJournal(now, options.journalLimit ?? 200_000))
  const tokens = makeTokens(own, now)
  const usage = makeUsage(options.limits, now, own.dailyRequests)

  const ingest = makeIngest(session, usage, own.bulkMillis ?? 2_000)

  const api: ReadonlyArray<Route> = [
    ...limitRoutes(org, usage),
    ...describeRoutes(org),
    ...makeQuery(org),
    ...collectionRoutes(session),
    ...recordRoutes(session),
  ]
  const find = routerOf(api)
  const dispatch: Dispatch = (request, fault) => {
    const match = find(request)
    return match === undefined ? notFound() : match.route.run(request, match.params, fault)
  }

  const handler = makeVendor({
    vendor: "salesforce",
    routes: [...tokens.routes, versionsRoute, ...ingest.routes, ...compositeRoutes(session, dispatch), ...api],
    gate: makeGate(tokens, usage),
    throttled: ({ limit = "daily" }) => limitExceeded(limit),
    failed: trouble,
    refused: ({ status, code, message = code }, { path }) =>
      path.startsWith("/services/oauth2/") ? oauthFailure(code, message, status) : failure(status, code, message),
    faults,
    counters,
    now,
  })

  return {
    handler: (request) => {
      ingest.advance()
      const delivery = withoutUsage(handler(trimmed(request)))
      org.commit()
      usage.longCalls.began(delivery.delayMillis + delivery.trickleMillis)
      return delivery
    },
    control: makeSalesforceControl(session, tokens.certificate, ingest),
    expireSessions: tokens.expireAll,
  }
}

/** A slash at the end changes nothing. */
const trimmed = (request: SandboxRequest): SandboxRequest =>
  request.path.endsWith("/") ? { ...request, path: request.path.replace(/\/+$/, "") } : request

/** salesforce.md §5.1: an answer without a body has no usage header either. */
const withoutUsage = (delivery: Delivery): Delivery => {
  if (delivery.answer.status !== 204) return delivery
  const { "sforce-limit-info": _, ...headers } = delivery.answer.headers
  return { ...delivery, answer: { ...delivery.answer, headers } }
}
