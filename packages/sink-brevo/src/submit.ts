/** Sends the rows of a stored batch that an import can carry, so that a crash at any instant leaves no import unknown. */
import { BatchRefused, SinkError, Unavailable } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { BrevoApi } from "./api.ts"
import type { ImportBody } from "./bodies.ts"
import { stop, unexpected } from "./errors.ts"
import type { Seen } from "./look.ts"

/** What is kept of a job. */
export const Ref = Schema.Struct({
  /** Brevo's clock and highest contact id just before. */
  modifiedSince: Schema.Finite,
  newest: Schema.Finite,
  processes: Schema.Array(Schema.Int),
  /** An import may run whose number never came. */
  unseen: Schema.Boolean,
})
export type Ref = typeof Ref.Type

export const nothingSent = ({ modifiedSince, newest }: Seen): Ref => ({
  modifiedSince,
  newest,
  processes: [],
  unseen: false,
})

/** An import whose answer is lost is sent again: it says the same. The lost one is waited for all the same. */
const ATTEMPTS = 3

const isLost = ({ reason }: SinkError): boolean => reason._tag === "Unavailable" && reason.inDoubt

type Save = Parameters<typeof saveRef>[1]
const saveRef = (ref: Ref, save: (ref: string) => Effect.Effect<void>) => save(JSON.stringify(ref))

const start = Effect.fnUntraced(function* (api: BrevoApi, body: ImportBody) {
  const reply = yield* api.import(body.text)
  switch (reply._tag) {
    case "Done":
      return reply.value
    case "BadLists":
      return yield* stop(reply.message, ["with", "lists"])
    case "Absent":
      return yield* new SinkError({ reason: unexpected("the import of contacts", reply) })
    case "Busy":
      return yield* new SinkError({ reason: new Unavailable({ message: reply.message, inDoubt: false }) })
    default:
      return yield* new SinkError({
        reason: new BatchRefused({ message: `Brevo refused an import (${reply.code})`, code: reply.code }),
      })
  }
})

/**
 * One import after the other. Before each the ref says that one may run, after it which. Once one is, or may be, under
 * way the others do not fail the job: that one has to end before any row is written by itself.
 */
export const sendAll = Effect.fnUntraced(function* (
  api: BrevoApi,
  bodies: ReadonlyArray<ImportBody>,
  seen: Seen,
  save: Save,
): Effect.fn.Return<void, SinkError> {
  let ref = nothingSent(seen)
  if (bodies.length === 0) return yield* saveRef(ref, save)

  const send = Effect.fnUntraced(function* (body: ImportBody): Effect.fn.Return<void, SinkError> {
    const { unseen } = ref
    yield* saveRef({ ...ref, unseen: true }, save)
    const id = yield* start(api, body)
    ref = { ...ref, processes: [...ref.processes, id], unseen }
    yield* saveRef(ref, save)
  })

  const insist = Effect.fnUntraced(function* (body: ImportBody) {
    for (let attempt = 1; ; attempt++) {
      const error = yield* Effect.match(send(body), { onFailure: (failure) => failure, onSuccess: () => undefined })
      if (error === undefined) return undefined
      if (!isLost(error) || attempt === ATTEMPTS) return error
      ref = { ...ref, unseen: true }
      yield* Effect.sleep(1000 * 4 ** attempt)
    }
  })

  for (const body of bodies) {
    const error = yield* insist(body)
    if (error === undefined) continue
    ref = { ...ref, unseen: ref.unseen || isLost(error) }
    if (ref.processes.length === 0 && !ref.unseen) return yield* error
    return yield* saveRef(ref, save)
  }
})

/** Undefined where it is not ours. */
export const readRef = (text: string) => Schema.decodeUnknownOption(Schema.fromJsonString(Ref))(text)
