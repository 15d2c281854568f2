/** `Digest` by node:crypto. */
import { hash } from "node:crypto"
import { Digest } from "@sluice/core"
import * as Layer from "effect/Layer"

export const layer: Layer.Layer<Digest> = Layer.succeed(Digest)({
  sha256: (text) => hash("sha256", text, "base64url"),
})
