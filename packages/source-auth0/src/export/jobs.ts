/** The calls around an export job. https://auth0.com/docs/manage-users/user-migration/bulk-user-exports */
import { type Answer, type Api, SourceError } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"
import { Time } from "../times.ts"

export const JobId = Schema.String.check(Schema.isPattern(/^job_[A-Za-z0-9]{1,64}$/))

const Job = Schema.Struct({
  id: JobId,
  /** `pending`, `completed` and `failed` are described; any other means that it goes on. */
  status: Schema.String,
  created_at: Time,
  /** Of the file, good for 60 seconds. */
  location: Schema.optionalKey(Schema.String),
  percentage_done: Schema.optionalKey(Schema.Finite),
  time_left_seconds: Schema.optionalKey(Schema.Finite),
  status_details: Schema.optionalKey(Schema.String),
})
export type Job = typeof Job.Type

const decodeJob = Schema.decodeUnknownEffect(Job)

const call = <A>(
  api: Api,
  name: string,
  options: {
    readonly request: HttpClientRequest.HttpClientRequest
    readonly repeatable: boolean
    readonly decode: (answer: Answer) => Effect.Effect<A, Schema.SchemaError>
  },
) => Effect.mapError(api.call({ name, bucket: "jobs", ...options }), (reason) => new SourceError({ reason }))

export interface Jobs {
  /** Without a `limit`, whose default of 5 is the description's alone, and always with fields (auth0 trap 18). */
  readonly create: (fields: ReadonlyArray<string>) => Effect.Effect<Job, SourceError>
  /** Undefined: Auth0 does not know it, or not any more. */
  readonly get: (id: string) => Effect.Effect<Job | undefined, SourceError>
}

export const makeJobs = (api: Api): Jobs => ({
  create: (fields) =>
    call(api, "auth0.exports.create", {
      request: HttpClientRequest.post("/api/v2/jobs/users-exports").pipe(
        HttpClientRequest.bodyJsonUnsafe({ format: "json", fields: fields.map((name) => ({ name })) }),
      ),
      // Sending it again after a lost answer makes a second job (auth0 trap 22).
      repeatable: false,
      decode: ({ body }) => decodeJob(body),
    }),
  get: (id) =>
    call(api, "auth0.exports.get", {
      request: HttpClientRequest.get(`/api/v2/jobs/${encodeURIComponent(id)}`),
      repeatable: true,
      decode: ({ status, body }) => (status === 404 ? Effect.undefined : decodeJob(body)),
    }),
})
