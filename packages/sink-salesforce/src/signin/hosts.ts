/** Which hosts are Salesforce's own: a token goes nowhere else, whatever an answer or a file says. */
import { Misconfigured } from "@sluice/core"
import * as Effect from "effect/Effect"

/** A company's My Domain, of a sandbox or a trial too. Anchored: `my.salesforce.com.example.com` is not one. */
const myDomain =
  /^[a-z0-9-]+(\.(sandbox|develop|scratch|demo|patch|trailblaze|free))?\.my\.salesforce(-setup)?\.(com|mil)$/

const shared = new Set(["login.salesforce.com", "test.salesforce.com"])

/** An https address of a bare host. */
const hostOf = (text: string): string | undefined => {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const isBare = url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "" && url.port === ""
  return url.protocol === "https:" && isBare && url.password === "" ? url.hostname : undefined
}

export const isMyDomain = (text: string): boolean => myDomain.test(hostOf(text) ?? "")

/** Where one may sign in: a My Domain, or login and test, which know no company. */
export const isLogin = (text: string): boolean => isMyDomain(text) || shared.has(hostOf(text) ?? "")

/** The audience of an assertion: the login host that the company's kind of organization belongs to. */
export const audienceOf = (loginUrl: string): string => {
  const host = hostOf(loginUrl) ?? ""
  return host === "test.salesforce.com" || /\.(sandbox|scratch)\.my\./.test(host)
    ? "https://test.salesforce.com"
    : "https://login.salesforce.com"
}

/** This machine, where the sandbox is. */
const isLocal = (text: string): boolean =>
  URL.canParse(text) && /^(localhost|\[::1\]|127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/.test(new URL(text).hostname)

/** What stands for Salesforce where it is not Salesforce itself: `base_url`, or a login address on this machine. */
export const standIn = (loginUrl: string, baseUrl: string | undefined): string | undefined =>
  baseUrl ?? (isLocal(loginUrl) ? loginUrl : undefined)

/** A host name for a message: nothing else of an address that somebody else chose. */
const named = (text: string): string => (URL.canParse(text) ? new URL(text).host : "no address")

/** Where calls go after a sign-in: to the instance that its answer names, for companies move. A stand-in is not left. */
export const instanceFor = (answered: string, baseUrl: string | undefined): Effect.Effect<string, Misconfigured> => {
  if (baseUrl !== undefined) {
    const isThere =
      URL.canParse(answered) && URL.canParse(baseUrl) && new URL(answered).origin === new URL(baseUrl).origin
    return Effect.succeed(isThere ? answered : baseUrl)
  }
  if (isMyDomain(answered)) return Effect.succeed(answered)
  const message = `Salesforce: the sign-in names ${named(answered)} as the place to call, which is no host of Salesforce's. Nothing was sent there`
  return Effect.fail(new Misconfigured({ message, path: ["login_url"] }))
}
