/** What the sandbox's Salesforce is told and what it tells. */
import * as Schema from "effect/Schema"

const decodeCount = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({ count: Schema.Int })))

/** Contacts ever made: one made twice counts twice. */
export const contactsMade = async (origin: string): Promise<number> =>
  decodeCount(await (await fetch(`${origin}/control/salesforce/count?object=Contact`)).text()).count

/** Bulk jobs are done when they are first asked for: memory and calls are measured, not the wait of a made-up vendor. */
export const endJobsAtOnce = async (origin: string): Promise<void> => {
  const body = JSON.stringify({ jobsTake: 0 })
  const { status } = await fetch(`${origin}/control/salesforce/settings`, { method: "POST", body })
  if (status !== 204) throw new Error(`the sandbox's Salesforce took no settings: ${status}`)
}
