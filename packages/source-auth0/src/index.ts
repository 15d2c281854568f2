/** Auth0 as a source: the users of a tenant, by search or by an export. */
import { makeApi, makeDownloads, type Source, SourceError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import { Auth0Config, DEFAULT_SHARE, exportHosts, limitsOf } from "./config.ts"
import { classify, classifyJob, classifyToken, readLimit, says } from "./errors.ts"
import { makeJobs } from "./export/jobs.ts"
import { identify } from "./identify.ts"
import { makeManagement } from "./management.ts"
import { UserOptions, UserRecord } from "./options.ts"
import { makeProof } from "./proof.ts"
import { makeTokens } from "./token.ts"
import { makeUsers } from "./users.ts"

export { Auth0Config, UserOptions }

export const source: Source<Auth0Config> = {
  name: "auth0",
  config: Auth0Config,
  streams: {
    users: {
      description:
        "The tenant's users. Full: all that match the options, however many. Incremental: those created or changed since the last run; changes of roles, permissions and organizations change no user and are not seen.",
      options: UserOptions,
      record: UserRecord,
      modes: ["full", "incremental"],
      snapshot: true,
    },
  },
  open: Effect.fnUntraced(
    function* (config, endpoint) {
      const domain = config.domain.toLowerCase()
      const limits = limitsOf(config.plan)
      const share = endpoint.share ?? DEFAULT_SHARE
      const common = {
        // Token and API on one host: Auth0 refuses a token that another of its hosts gave (auth0 trap 29).
        baseUrl: endpoint.baseUrl ?? `https://${domain}`,
        insecure: endpoint.insecure,
        share,
        limits: { ...limits },
        account: `auth0:${endpoint.baseUrl ?? domain}`,
        readLimit,
        says,
      }
      const tokenApi = yield* makeApi({ ...common, authorize: yield* makeProof(config), classify: classifyToken })
      const tokens = makeTokens(tokenApi, config)
      const authorized = {
        ...common,
        authorize: (request: HttpClientRequest.HttpClientRequest) =>
          Effect.map(tokens.current, ({ value }) => HttpClientRequest.bearerToken(request, Redacted.value(value))),
        ...(tokens.renew === undefined ? {} : { refresh: tokens.renew }),
      }
      const management = makeManagement(yield* makeApi({ ...authorized, classify }))
      const exports = {
        jobs: makeJobs(yield* makeApi({ ...authorized, classify: classifyJob })),
        download: yield* makeDownloads,
        expects: exportHosts(config, endpoint.baseUrl),
        insecure: endpoint.insecure,
      }
      return makeUsers(management, exports, identify(tokens, management, domain), { limit: limits.users, share })
    },
    Effect.mapError((reason) => new SourceError({ reason })),
  ),
}
