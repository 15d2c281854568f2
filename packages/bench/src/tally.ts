/** What the sandbox has counted. */
import * as Schema from "effect/Schema"

const Requests = Schema.Struct({ reads: Schema.Int, writes: Schema.Int })
const Tally = Schema.Struct({
  users: Schema.Int,
  contacts: Schema.Int,
  requests: Schema.Struct({ auth0: Requests, brevo: Requests }),
  routes: Schema.Record(Schema.String, Schema.Int),
  unmodelled: Schema.Array(Schema.Unknown),
})
export type Tally = typeof Tally.Type

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Tally))

export const tally = async (origin: string): Promise<Tally> => decode(await (await fetch(`${origin}/control`)).text())
