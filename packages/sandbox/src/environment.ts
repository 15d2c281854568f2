/** The variables after which every file in `configs/` runs against a sandbox. */
import { credentials, lists, tenantDomain } from "./options.ts"
import { caseTemplate } from "./persona/cases.ts"
import { userType } from "./persona/types.ts"

/** `origin` is where the sandbox listens, `account` its option of that name. All values are fakes. */
export const environment = (origin: string, account = "sandbox"): Record<string, string> => ({
  AUTH0_DOMAIN: tenantDomain(account),
  AUTH0_CLIENT_ID: credentials.clientId,
  AUTH0_CLIENT_SECRET: credentials.clientSecret,
  AUTH0_BASE_URL: `${origin}/auth0`,
  BREVO_API_KEY: credentials.apiKey,
  BREVO_BASE_URL: `${origin}/brevo/v3`,
  BREVO_LIST_ALL: String(lists.all),
  BREVO_LIST_VERIFIED: String(lists.verified),
  BREVO_LIST_SOCIAL: String(lists.social),
  // My Domain: an origin without a path, as the real ones are.
  SF_LOGIN_URL: origin,
  SF_CLIENT_ID: credentials.consumerKey,
  SF_CLIENT_SECRET: credentials.consumerSecret,
  PERSONA_API_KEY: credentials.personaKey,
  PERSONA_BASE_URL: `${origin}/persona/api/v1`,
  PERSONA_ACCOUNT_TYPE: userType.id,
  PERSONA_CASE_TEMPLATE: caseTemplate,
})
