/** The fields of all destinations of pipelines right now, as a lock. Reads only (rule 6). */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import { Digest } from "../../state/digest.ts"
import { fieldsOf } from "../check/liveFields.ts"
import { type ConnectionError, type ConnectServices, on, openSinks } from "../connect.ts"
import type { Pipeline } from "../pipeline.ts"
import { type LockedFields, type LockedSink, lockFields, makeLock, ownPlace, type SchemaLock } from "./schemaLock.ts"

/** A destination that does not describe its fields has none in it. */
export const liveLock = Effect.fnUntraced(function* (
  pipelines: ReadonlyArray<Pipeline>,
): Effect.fn.Return<SchemaLock, ConnectionError, ConnectServices | Digest> {
  const { sha256 } = yield* Digest
  const sinks = new Map<string, LockedSink>()
  for (const [pipeline, route] of pipelines.flatMap((each) => each.routes.map((route) => [each, route] as const))) {
    const name = route.sink.endpoint.name
    const asked = Effect.gen(function* () {
      const connection = (yield* openSinks(pipeline, [route])).get(name)
      if (connection === undefined) return undefined
      const { account } = yield* connection.identify.pipe(on(name))
      return { account: fingerprint(sha256, account), fields: lockFields((yield* fieldsOf(connection, route)) ?? []) }
    })
    const found = yield* Effect.scoped(asked)
    if (found === undefined) continue
    const objects = sinks.get(name)?.objects ?? {}
    const known = objects[route.object] ?? {}
    const [place, fields] = agree(known, found.fields)
      ? [route.object, { ...known, ...found.fields }]
      : [ownPlace(pipeline.name, route), found.fields]
    sinks.set(name, { account: found.account, objects: { ...objects, [place]: fields } })
  }
  return makeLock(Object.fromEntries(sinks))
})

/** Each may have fields that only it maps. */
const agree = (one: LockedFields, other: LockedFields): boolean =>
  Object.entries(one).every(([name, field]) => !Object.hasOwn(other, name) || Equal.equals(field, other[name]))

export const fingerprint = (sha256: (text: string) => string, account: string): string => sha256(account).slice(0, 16)
