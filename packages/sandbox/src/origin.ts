/** One origin for everything: which vendor a request is for. */
import { type Delivery, deliver, json, type SandboxRequest } from "./exchange.ts"
import { tenantDomain } from "./options.ts"
import { isSalesforceHost } from "./salesforce/places.ts"
import type { Sandbox } from "./sandbox.ts"

const below = (path: string, base: string): string | undefined =>
  path === base ? "/" : path.startsWith(`${base}/`) ? path.slice(base.length) : undefined

/** Where Auth0 keeps the files of exports. */
const exportsHost = "user-exports.auth0.com"

/** By the vendor's own host name (in process only), else by the first segment of the path. */
export const respond = (sandbox: Sandbox, hostname: string, request: SandboxRequest): Delivery => {
  if (hostname === tenantDomain(sandbox.options.account ?? "sandbox") || hostname === exportsHost)
    return sandbox.auth0({ ...request, base: `https://${exportsHost}` })
  if (hostname === "api.brevo.com")
    return sandbox.brevo({ ...request, path: below(request.path, "/v3") ?? request.path })
  if (hostname === "api.withpersona.com")
    return sandbox.persona({ ...request, path: below(request.path, "/api/v1") ?? request.path })
  if (isSalesforceHost(hostname)) return sandbox.salesforce(request)
  const origin = request.base ?? `http://${hostname || "127.0.0.1"}`
  const auth0 = below(request.path, "/auth0")
  if (auth0 !== undefined) return sandbox.auth0({ ...request, base: `${origin}/auth0`, path: auth0 })
  const brevo = below(request.path, "/brevo/v3") ?? below(request.path, "/brevo")
  if (brevo !== undefined) return sandbox.brevo({ ...request, base: `${origin}/brevo`, path: brevo })
  const persona = below(request.path, "/persona/api/v1")
  if (persona !== undefined) return sandbox.persona({ ...request, base: `${origin}/persona`, path: persona })
  // Salesforce's addresses have no prefix: each org is a host of its own.
  if (below(request.path, "/services") !== undefined) return sandbox.salesforce({ ...request, base: origin })
  const control = below(request.path, "/control")
  if (control !== undefined) return sandbox.controlRoutes({ ...request, path: control })
  sandbox.counters.unmodelled.push({
    vendor: "none",
    method: request.method,
    path: request.path,
    reason: "below none of /auth0, /brevo, /persona, /services, /control",
  })
  return deliver(
    json(501, { sandbox: "below none of /auth0, /brevo, /persona, /services, /control", path: request.path }),
  )
}
