/** What the vendors share: find the route, let a fault strike, keep the limits, answer, count. */
import { bump, type Counters, countRequest } from "./counters.ts"
import {
  type Delivery,
  deliver,
  type Handler,
  json,
  type Now,
  type RouteKind,
  type SandboxAnswer,
  type SandboxRequest,
  Unmodelled,
  type Vendor,
  withHeaders,
} from "./exchange.ts"
import type { FaultKind, Faults } from "./faults.ts"

export interface Route {
  readonly method: string
  /** `:name` takes one segment, handed over decoded. */
  readonly pattern: string
  readonly kind: RouteKind
  readonly run: (request: SandboxRequest, params: ReadonlyArray<string>, fault: FaultKind | undefined) => SandboxAnswer
}

/** What stands before every route: the rate limit and the credentials. */
export interface Gate {
  readonly headers: { readonly [name: string]: string }
  readonly refusal?: SandboxAnswer
}

export interface VendorOptions {
  readonly vendor: Vendor
  readonly routes: ReadonlyArray<Route>
  readonly gate: (request: SandboxRequest, route: Route, nowMillis: number) => Gate
  readonly throttled: (fault: FaultKind & { readonly kind: "throttle" }, nowMillis: number) => SandboxAnswer
  readonly failed: (status: number) => SandboxAnswer
  /** Without it a vendor fails with the fault's status. */
  readonly refused?: (fault: FaultKind & { readonly kind: "refused" }, request: SandboxRequest) => SandboxAnswer
  readonly faults: Faults
  readonly counters: Counters
  readonly now: Now
}

interface Match {
  readonly route: Route
  readonly params: ReadonlyArray<string>
}

const decodeSegment = (segment: string): string | undefined => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

const compile = (route: Route) => {
  const pattern = route.pattern.split("/")
  return (method: string, segments: ReadonlyArray<string>): ReadonlyArray<string> | undefined => {
    if (method !== route.method || segments.length !== pattern.length) return undefined
    const params: Array<string> = []
    for (const [place, expected] of pattern.entries()) {
      const segment = segments[place] ?? ""
      const value = expected.startsWith(":") ? decodeSegment(segment) : undefined
      if (value === undefined ? expected !== segment : value === "") return undefined
      if (value !== undefined) params.push(value)
    }
    return params
  }
}

const gatewayPage = (status: number): SandboxAnswer => ({
  status,
  headers: { "content-type": "text/html" },
  body: `<html><head><title>${status}</title></head><body>sandbox gateway</body></html>`,
})

/** The first route that a request takes. */
export const routerOf = (routes: ReadonlyArray<Route>) => {
  const compiled = routes.map((route) => ({ route, match: compile(route) }))
  return (request: SandboxRequest): Match | undefined => {
    const segments = request.path.split("/")
    for (const { route, match } of compiled) {
      const params = match(request.method, segments)
      if (params !== undefined) return { route, params }
    }
    return undefined
  }
}

export const makeVendor = (options: VendorOptions): Handler => {
  const { vendor, counters, faults, now } = options
  const find = routerOf(options.routes)

  const unmodelled = (request: SandboxRequest, reason: string): SandboxAnswer => {
    counters.unmodelled.push({ vendor, method: request.method, path: request.path, reason })
    return json(501, { sandbox: "not modelled", vendor, method: request.method, path: request.path, reason })
  }

  const run = (request: SandboxRequest, { route, params }: Match, fault: FaultKind | undefined): SandboxAnswer => {
    try {
      return route.run(request, params, fault)
    } catch (error) {
      if (error instanceof Unmodelled) return unmodelled(request, error.message)
      throw error
    }
  }

  const answer = (request: SandboxRequest, match: Match, time: number, fault: FaultKind | undefined): SandboxAnswer => {
    const gate = options.gate(request, match.route, time)
    return withHeaders(gate.refusal ?? run(request, match, fault), gate.headers)
  }

  const failed = (status: number): SandboxAnswer =>
    status === 502 || status === 503 || status === 504 ? gatewayPage(status) : options.failed(status)

  /** The request never reaches the vendor's state. */
  const before = (fault: FaultKind | undefined, request: SandboxRequest, time: number): Delivery | undefined => {
    if (fault?.kind === "refused") return deliver(options.refused?.(fault, request) ?? failed(fault.status))
    if (fault?.kind === "throttle") return deliver(options.throttled(fault, time))
    if (fault?.kind === "error" && fault.when === "before") return deliver(failed(fault.status))
    if (fault?.kind === "cut" && fault.when === "before") return { ...deliver(failed(500)), cutAfterBytes: 0 }
    return undefined
  }

  const respond = (request: SandboxRequest): Delivery => {
    const match = find(request)
    if (match === undefined) return deliver(unmodelled(request, "no such route in the sandbox"))
    const time = now()
    countRequest(counters, vendor, match.route.kind, `${match.route.method} ${match.route.pattern}`)
    const fault = faults.pick(vendor, request, match.route.kind, time)
    return before(fault, request, time) ?? strike(fault, answer(request, match, time, fault), failed)
  }

  return (request) => {
    const delivery = respond(request)
    bump(counters.statuses, `${vendor} ${delivery.cutAfterBytes === undefined ? delivery.answer.status : "cut"}`)
    return delivery
  }
}

/** The vendor has done its part; what becomes of the answer. */
const strike = (
  fault: FaultKind | undefined,
  answer: SandboxAnswer,
  failed: (status: number) => SandboxAnswer,
): Delivery => {
  const delivery = deliver(answer)
  switch (fault?.kind) {
    case "error":
      return deliver(failed(fault.status))
    case "cut":
      return { ...delivery, cutAfterBytes: fault.bytes ?? 0 }
    case "slow":
      return { ...delivery, trickleMillis: fault.millis }
    case "stall":
      return { ...delivery, delayMillis: fault.millis }
    case "malformed":
      return deliver({ status: 200, headers: answer.headers, body: '{"users":[{]<html>' })
    case "truncated":
      return deliver({ ...answer, body: answer.body.slice(0, Math.floor(answer.body.length / 2)) })
    default:
      return delivery
  }
}
