/** Several requests in one call: Composite, Composite Batch and Composite Graph. salesforce.md §2.4 to §2.6. */
import {
  isObject,
  type JsonObject,
  json,
  own,
  type SandboxAnswer,
  type SandboxRequest,
  Unmodelled,
} from "../exchange.ts"
import type { FaultKind } from "../faults.ts"
import type { Route } from "../vendor.ts"
import { jsonOf } from "./call.ts"
import { badJson, failure } from "./errors.ts"
import { fillReferences } from "./references.ts"
import type { Session } from "./session.ts"

/** Answers a request below this one, unmetered. A fault of its rows is the whole call's. */
export type Dispatch = (request: SandboxRequest, fault: FaultKind | undefined) => SandboxAnswer

const maxSubrequests = 25
/** sObject Collections, query and queryMore. */
const maxHeavy = 5

interface SubRequest {
  readonly method: string
  readonly url: string
  readonly referenceId: string
  readonly body: unknown
}

interface SubResponse {
  readonly body: unknown
  readonly httpHeaders: { readonly [name: string]: string }
  readonly httpStatusCode: number
  readonly referenceId: string
}

const subRequestOf = (value: unknown): SubRequest | undefined => {
  if (!isObject(value)) return undefined
  const [method, url, referenceId] = [own(value, "method"), own(value, "url"), own(value, "referenceId")]
  return typeof method === "string" && typeof url === "string" && typeof referenceId === "string"
    ? { method, url, referenceId, body: own(value, "body") }
    : undefined
}

const isHeavy = ({ url }: SubRequest): boolean => /\/composite\/sobjects|\/query(All)?([?/]|$)/.test(url)

const bodyOf = ({ body }: SandboxAnswer): unknown => (body === "" ? null : JSON.parse(body))

const below = (request: SandboxRequest, { method, url }: { method: string; url: string }, body: unknown) => {
  const mark = url.indexOf("?")
  const { "content-encoding": _, ...headers } = request.headers
  return {
    ...request,
    method,
    headers,
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1)),
    body: body === undefined ? "" : JSON.stringify(body),
  }
}

const halted = (referenceId: string, message: string): SubResponse => ({
  body: [{ errorCode: "PROCESSING_HALTED", message }],
  httpHeaders: {},
  httpStatusCode: 400,
  referenceId,
})

const haltedText = "The transaction was rolled back since another operation in the same transaction failed."

export const compositeRoutes = ({ org }: Session, dispatch: Dispatch): ReadonlyArray<Route> => {
  const one = (
    request: SandboxRequest,
    sub: SubRequest,
    known: ReadonlyMap<string, unknown>,
    fault: FaultKind | undefined,
  ): SubResponse => {
    if (/\/composite(\/batch|\/graph|\/tree)?$/.test(sub.url.split("?")[0] ?? ""))
      throw new Unmodelled("a composite request in a composite request")
    const filled = fillReferences({ url: sub.url, body: sub.body }, known)
    if ("missing" in filled)
      return halted(sub.referenceId, `Invalid reference specified. No value for ${filled.missing} found`)
    const answer = dispatch(below(request, { method: sub.method, url: filled.url }, filled.body), fault)
    return {
      body: bodyOf(answer),
      httpHeaders: answer.headers.location === undefined ? {} : { Location: answer.headers.location },
      httpStatusCode: answer.status,
      referenceId: sub.referenceId,
    }
  }

  /** With all or none the first that fails takes back what came before and halts what comes after. */
  const all = (
    request: SandboxRequest,
    subs: ReadonlyArray<SubRequest>,
    allOrNone: boolean,
    fault?: FaultKind,
  ): { readonly responses: ReadonlyArray<SubResponse>; readonly failed: boolean } => {
    const mark = org.mark()
    const known = new Map<string, unknown>()
    const responses: Array<SubResponse> = []
    for (const sub of subs) {
      const response = one(request, sub, known, fault)
      responses.push(response)
      if (response.httpStatusCode < 300) known.set(sub.referenceId, response.body)
      else if (allOrNone) {
        org.rollback(mark)
        const culprit = responses.length - 1
        return {
          failed: true,
          responses: subs.map(({ referenceId }, at) => (at === culprit ? response : halted(referenceId, haltedText))),
        }
      }
    }
    return { responses, failed: responses.some(({ httpStatusCode }) => httpStatusCode >= 300) }
  }

  const subsOf = (body: JsonObject): ReadonlyArray<SubRequest> | undefined => {
    const sent = own(body, "compositeRequest")
    const subs = Array.isArray(sent) ? sent.flatMap((each) => subRequestOf(each) ?? []) : []
    return Array.isArray(sent) && subs.length === sent.length && subs.length > 0 ? subs : undefined
  }

  const composite: Route["run"] = (request, _, fault) => {
    const body = jsonOf(request)
    const subs = isObject(body) ? subsOf(body) : undefined
    if (!isObject(body) || subs === undefined) return badJson("compositeRequest needs method, url and referenceId")
    if (subs.length > maxSubrequests)
      return failure(400, "LIMIT_EXCEEDED", `Composite requests are limited to ${maxSubrequests} subrequests`)
    if (subs.filter(isHeavy).length > maxHeavy)
      return failure(400, "LIMIT_EXCEEDED", `Collections and queries are limited to ${maxHeavy} in a composite request`)
    if (new Set(subs.map(({ referenceId }) => referenceId)).size < subs.length)
      return failure(400, "INVALID_INPUT", "Duplicate referenceId")
    return json(200, { compositeResponse: all(request, subs, own(body, "allOrNone") === true, fault).responses })
  }

  const batch: Route["run"] = (request) => {
    const body = jsonOf(request)
    const sent = isObject(body) ? own(body, "batchRequests") : undefined
    if (!isObject(body) || !Array.isArray(sent) || !sent.every(isObject)) return badJson("batchRequests is required")
    if (sent.length > maxSubrequests)
      return failure(400, "LIMIT_EXCEEDED", `Batch requests are limited to ${maxSubrequests} subrequests`)
    let halt = false
    const results = sent.map((each) => {
      if (halt) return { statusCode: 412, result: [{ errorCode: "BATCH_PROCESSING_HALTED", message: "halted" }] }
      const url = `/services/data/${String(own(each, "url")).replace(/^\/?(services\/data\/)?/, "")}`
      const answer = dispatch(
        below(request, { method: String(own(each, "method")), url }, own(each, "richInput")),
        undefined,
      )
      halt = own(body, "haltOnError") === true && answer.status >= 300
      return { statusCode: answer.status, result: bodyOf(answer) }
    })
    return json(200, { hasErrors: results.some(({ statusCode }) => statusCode >= 300), results })
  }

  const graph: Route["run"] = (request) => {
    const body = jsonOf(request)
    const sent = isObject(body) ? own(body, "graphs") : undefined
    if (!Array.isArray(sent) || !sent.every(isObject)) return badJson("graphs is required")
    const graphs = sent.map((each) => ({ graphId: String(own(each, "graphId")), subs: subsOf(each) ?? [] }))
    const nodes = graphs.reduce((sum, { subs }) => sum + subs.length, 0)
    if (graphs.length > 75 || nodes > 500)
      return failure(400, "LIMIT_EXCEEDED", "Composite graph is limited to 75 graphs and 500 nodes")
    let failures = 0
    return json(200, {
      graphs: graphs.map(({ graphId, subs }) => {
        const { responses, failed } =
          failures >= 14
            ? { failed: true, responses: subs.map(({ referenceId }) => halted(referenceId, "too many failed graphs")) }
            : all(request, subs, true)
        if (failed) failures += 1
        return { graphId, graphResponse: { compositeResponse: responses }, isSuccessful: !failed }
      }),
    })
  }

  const base = "/services/data/:version/composite"
  return [
    { method: "POST", pattern: base, kind: "write", run: composite },
    { method: "POST", pattern: `${base}/batch`, kind: "write", run: batch },
    { method: "POST", pattern: `${base}/graph`, kind: "write", run: graph },
  ]
}
