/** A hash of text, from the platform: the ledger compares rows by it. */
import * as Context from "effect/Context"

export class Digest extends Context.Service<
  Digest,
  {
    /** SHA-256 as base64url, of the UTF-8 text. */
    readonly sha256: (text: string) => string
  }
>()("@sluice/core/Digest") {}
