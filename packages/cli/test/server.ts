/** A server of a test's own. */
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as Effect from "effect/Effect"

/** The address of a server that ends with the test. */
export const server = (answer: http.RequestListener) =>
  Effect.acquireRelease(
    Effect.callback<http.Server>((resume) => {
      const started = http.createServer(answer)
      started.listen(0, "127.0.0.1", () => resume(Effect.succeed(started)))
    }),
    (started) =>
      Effect.callback<void>((resume) => {
        started.closeAllConnections()
        started.close(() => resume(Effect.void))
      }),
  ).pipe(Effect.map((started) => `http://127.0.0.1:${portOf(started.address())}`))

export const portOf = (address: AddressInfo | string | null): number =>
  typeof address === "object" && address !== null ? address.port : 0
