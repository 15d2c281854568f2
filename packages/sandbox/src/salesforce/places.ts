/** Where the fake Salesforce is reached: its hosts, and what of a path comes after the version. */

/** Logs users in but has no org: no client credentials here. */
const loginHosts = new Set(["login.salesforce.com", "test.salesforce.com"])

/** The org's own host. */
export const myDomain = "https://sandbox.my.salesforce.com"

export const isLoginHost = (base: string | undefined): boolean =>
  base !== undefined && loginHosts.has(base.replace(/^https?:\/\//, ""))

export const isSalesforceHost = (hostname: string): boolean =>
  loginHosts.has(hostname) || hostname.endsWith(".my.salesforce.com")

/** `/sobjects/Lead` of `/services/data/v66.0/sobjects/Lead`: what a fault names, whatever the version. */
export const belowVersion = (path: string): string => path.replace(/^\/services\/data\/v\d+\.\d+/, "")

/** Released, and not yet retired, by November 2026. */
export const versions = { first: 31, last: 68 } as const
