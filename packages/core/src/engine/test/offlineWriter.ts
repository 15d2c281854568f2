/** What a sink knows of a route without asking its vendor: the fields, and why it would refuse a row. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type RowValidator, rowValidator } from "../../mapping/validate.ts"
import { PluginState } from "../../plugin/services.ts"
import type { Field, Writer } from "../../plugin/sink.ts"
import { on, openWriter, writerRequest } from "../connect.ts"
import type { Route } from "../pipeline.ts"

/** The plugin made a call, and tests make none. */
class NeedsVendor extends Schema.TaggedError<NeedsVendor>()("NeedsVendor", {}) {}

export interface OfflineWriter {
  readonly writer: Pick<Writer, "limits" | "refuse" | "partition">
  readonly validate: RowValidator
  /** What of the destination's judgement is not known here. */
  readonly notices: ReadonlyArray<string>
}

/** Longer than any plugin needs to answer without a call. */
const PATIENCE = "5 seconds"

/**
 * `saved`: the fields of the destination as they were saved. Fails where the sink says that the route cannot work. What
 * it says of the connection itself does not count: credentials and addresses may be missing. `file`: the pipeline file,
 * for what is said.
 */
export const openOffline = Effect.fnUntraced(function* (
  route: Route,
  saved: ReadonlyArray<Field> | undefined,
  file: string,
) {
  const locked = saved?.length === 0 ? undefined : saved
  const { plugin, config, endpoint } = route.sink
  if (locked !== undefined && route.spec.rules !== undefined) {
    const rules = yield* Effect.fromResult(route.spec.rules(writerRequest(route, undefined), locked)).pipe(
      on(endpoint.name),
    )
    return describeKnown(route, { ...rules, limits }, locked, file)
  }
  const called = yield* Deferred.make<never, NeedsVendor>()
  const client = HttpClient.make(() => Effect.andThen(Deferred.fail(called, new NeedsVendor()), Effect.never))
  const offline = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.raceFirst(effect, Deferred.await(called)).pipe(
      Effect.timeoutOption(PATIENCE),
      Effect.catchIf(
        (error) => error instanceof NeedsVendor,
        () => Effect.succeed(Option.none<A>()),
      ),
      Effect.map(Option.getOrUndefined),
    )
  const known = Effect.gen(function* () {
    // Nobody is called, so an address that is a variable is not needed.
    const opening = offline(plugin.open(config, { ...endpoint, baseUrl: undefined }))
    const connection = config === undefined ? undefined : yield* Effect.option(opening)
    const opened = connection === undefined ? undefined : Option.getOrUndefined(connection)
    if (opened === undefined) return undefined
    const writer = yield* offline(openWriter(opened, route, undefined))
    if (writer?.fields === undefined || locked !== undefined) return { writer, fields: undefined }
    return { writer, fields: yield* offline(writer.fields.pipe(on(endpoint.name))) }
  }).pipe(
    Effect.provideService(HttpClient.HttpClient, client),
    Effect.provideService(PluginState, forgetful),
    Effect.scoped,
  )
  const found = yield* known
  return describeKnown(route, found?.writer, locked ?? found?.fields, file)
})

/** Tests hand over no batch. */
const limits = { rows: 1 }

/** A test leaves nothing behind. */
const forgetful = PluginState.of({ get: () => Effect.succeedNone, set: () => Effect.void })

const describeKnown = (
  route: Route,
  writer: Pick<Writer, "limits" | "refuse" | "partition" | "fields"> | undefined,
  fields: ReadonlyArray<Field> | undefined,
  file: string,
): OfflineWriter => {
  const { name, mapping, spec } = route
  const validate = fields === undefined ? partly(spec.fields ?? [], mapping.key) : rowValidator(fields, mapping.key)
  const isPartial = fields === undefined && (writer?.fields !== undefined || spec.rules !== undefined)
  return {
    writer: writer ?? { limits },
    validate,
    notices: [
      ...(isPartial
        ? [
            `${name}: rows are held against no field of your own account; \`sluice schema --connect ${file} --lock\` saves them`,
          ]
        : []),
      ...(writer === undefined && spec.rules === undefined
        ? [`${name}: ${route.sink.plugin.name} judges rows with a connection only, so what it refuses is not seen here`]
        : []),
    ],
  }
}

/** Of a destination with more fields than its plugin names, the named ones alone are known. */
const partly = (fields: ReadonlyArray<Field>, key: string): RowValidator => {
  const validate = rowValidator(fields, key)
  const names = new Set(fields.map(({ name }) => name))
  return (row) => validate(Object.fromEntries(Object.entries(row).filter(([name]) => names.has(name))))
}
