/** Which addresses a connection may call: one origin, https unless it is this machine, and nothing above its base path. */
import * as Effect from "effect/Effect"
import { Misconfigured, Refused } from "../plugin/errors.ts"
import { isLoopback } from "../plugin/transport.ts"

const wrong = (message: string) => new Misconfigured({ message, path: ["base_url"] })

/** The address as the operator wrote it, parsed once; the result has no slash at its end. */
export const parseBase = Effect.fnUntraced(function* (text: string, insecure: boolean) {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return yield* wrong("The address is not an https URL.")
  }
  if (url.username !== "" || url.password !== "") return yield* wrong(`The address of ${url.host} carries a user name.`)
  if (url.search !== "" || url.hash !== "" || /[?#]/.test(text)) {
    return yield* wrong(`The address of ${url.host} carries a query or fragment.`)
  }
  if (url.protocol === "http:" && !insecure && !isLoopback(url.hostname)) {
    return yield* wrong(`${url.origin} is not https. Set \`insecure: true\` if the network between is your own.`)
  }
  return url
})

const segments = (path: string) => path.split("/").length

/** The full address of a path below the base. A path with dot segments, or one that names a host, is refused. */
export const below = (base: URL, path: string): Effect.Effect<string, Refused> => {
  const prefix = base.href.replace(/\/+$/, "")
  const full = `${prefix}${path}`
  const url = /^\/[^\\]*$/.test(path) && URL.canParse(full) ? new URL(full) : undefined
  const raw = full.slice(base.origin.length).split(/[?#]/)[0] ?? ""
  // A parser drops dot segments, encoded ones included, so a path that climbs has fewer segments afterwards.
  if (url === undefined || url.origin !== base.origin || segments(url.pathname) !== segments(raw)) {
    return Effect.fail(new Refused({ code: "address", message: `A request left the address ${base.origin}.` }))
  }
  return Effect.succeed(full)
}
