/** Field descriptions that reach both the JSON Schema and the reference pages. */
import * as Schema from "effect/Schema"

/**
 * Describes a config or options field. `Schema.toJsonSchemaDocument` drops a description on a field that transforms
 * (a secret, a default) unless it is on the encoded side too.
 */
export const describe =
  (description: string) =>
  <S extends Schema.Top>(self: S): S["Rebuild"]["Rebuild"] =>
    Schema.annotateKey<S["Rebuild"]>({ description })(Schema.annotateEncoded<S>({ description })(self))
