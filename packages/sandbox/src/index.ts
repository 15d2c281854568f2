/** A local Auth0, Brevo, Salesforce and Persona that behave like the real ones, limits and faults included. */
export type { ContactView } from "./brevo/contacts.ts"
export type { ContactEdit } from "./brevo/edit.ts"
export type { ChangePlan } from "./changes.ts"
export { httpClient } from "./client.ts"
export type { Counters, UnmodelledRequest } from "./counters.ts"
export { environment } from "./environment.ts"
export type { Delivery, Handler, SandboxAnswer, SandboxRequest } from "./exchange.ts"
export type { FaultKind, FaultRule, Faults } from "./faults.ts"
export type { JournalEntry } from "./journal.ts"
export {
  type Auth0Plan,
  type BrevoPlan,
  credentials,
  defaultUntil,
  type Limits,
  lists,
  type PersonaOptions,
  type SalesforceOptions,
  type SandboxOptions,
  tenantDomain,
} from "./options.ts"
export type { PersonaAccount } from "./persona/accounts.ts"
export { caseTemplate, type PersonaCase } from "./persona/cases.ts"
export type { PersonaEntry } from "./persona/journal.ts"
export type { PersonaControl } from "./persona/persona.ts"
export { defaultType, type PersonaField, userType } from "./persona/types.ts"
export type { SalesforceControl, SalesforceRecord } from "./salesforce/control.ts"
export type { SalesforceEntry } from "./salesforce/journal.ts"
export type { CustomField } from "./salesforce/objects.ts"
export { type Control, makeSandbox, type Sandbox } from "./sandbox.ts"
export { type Listening, serve } from "./server.ts"
export type { User } from "./users/generate.ts"
