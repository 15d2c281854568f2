/** A whole sandbox: a fake Auth0 tenant, Brevo account, Salesforce org and Persona environment with one clock, one seed and one set of faults. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { makeAuth0 } from "./auth0/auth0.ts"
import { makeBrevo } from "./brevo/brevo.ts"
import type { ContactView } from "./brevo/contacts.ts"
import type { ContactEdit } from "./brevo/edit.ts"
import { type ChangePlan, makeChanges } from "./changes.ts"
import { makeControlHandler } from "./control.ts"
import { type Counters, makeCounters, resetCounters, type UnmodelledRequest } from "./counters.ts"
import type { Handler, JsonObject } from "./exchange.ts"
import { type Faults, makeFaults } from "./faults.ts"
import { type JournalEntry, makeJournal } from "./journal.ts"
import { defaultUntil, type SandboxOptions } from "./options.ts"
import { makePersona, type PersonaControl } from "./persona/persona.ts"
import { makeDice } from "./random.ts"
import { makeSalesforce, type SalesforceControl } from "./salesforce/salesforce.ts"
import { makeDirectory } from "./users/directory.ts"
import { makeGenerator, type User } from "./users/generate.ts"

/** What tests and the control routes do behind the vendors' backs. Synchronous. */
export interface Control {
  readonly faults: Faults
  /** Merges fields at the root, null removes one; creates the user if there is none. */
  readonly upsertUser: (fields: JsonObject & { readonly user_id: string }) => User
  readonly deleteUser: (userId: string) => boolean
  /** The true present state, whatever search sees. */
  readonly user: (userId: string) => User | undefined
  /** Every state the user has had, oldest first. */
  readonly userVersions: (userId: string) => ReadonlyArray<User>
  /** All users as they are now; walks every generated one. */
  readonly users: () => IteratorObject<User>
  readonly userCount: () => number
  /** The id of the generated user with this number. */
  readonly userId: (index: number) => string
  readonly contacts: () => ReadonlyArray<ContactView>
  /** Found by ext_id. */
  readonly contact: (extId: string) => ContactView | undefined
  /** What a person does to a contact in Brevo itself, found by ext_id. */
  readonly editContact: (extId: string, edit: ContactEdit) => boolean
  readonly journal: () => ReadonlyArray<JournalEntry>
  /** All access tokens given out so far become invalid. */
  readonly expireTokens: () => void
  /** From now on a change can be found by search after this long. */
  readonly indexLag: (millis: number) => void
  /** Users change while they are read; undefined ends it. */
  readonly changes: (plan: ChangePlan | undefined) => void
  readonly salesforce: SalesforceControl
  readonly persona: PersonaControl
  /** How many milliseconds the fake Brevo takes for an import, from now on. */
  readonly importsTake: (millis: number) => void
  /** Mails that Brevo sent to the account's owner because an import ended. */
  readonly mails: () => number
  /** As made: users, contacts, faults, journal, counters, tokens. */
  readonly reset: () => void
}

export interface Sandbox {
  readonly options: SandboxOptions
  readonly auth0: Handler
  readonly brevo: Handler
  readonly salesforce: Handler
  readonly persona: Handler
  /** Control over HTTP, below `/control`. */
  readonly controlRoutes: Handler
  readonly control: Control
  readonly counters: Counters
  /** Requests that were answered with 501. A test that ends with one has failed. */
  readonly unmodelled: ReadonlyArray<UnmodelledRequest>
}

const build = (options: SandboxOptions, now: () => number, counters: Counters) => {
  const until = options.until ?? defaultUntil
  const started = now()
  const generator = makeGenerator({
    seed: options.seed,
    users: options.users,
    until,
    importedAtOnce: options.importedAtOnce ?? 0,
    messy: options.messy ?? false,
  })
  // A clock before the newest user, such as a TestClock, counts from that user on.
  const dataNow = () => (started < until ? until + now() - started : now())
  const directory = makeDirectory({
    generator,
    now,
    dataNow,
    dice: makeDice(options.seed, 51),
    lagMillis: options.indexLagMillis ?? 0,
  })
  const faults = makeFaults(now, makeDice(options.seed, 52))
  const changes = makeChanges(directory, makeDice(options.seed, 53))
  const journal = makeJournal(now, options.journalLimit ?? 200_000)
  const auth0 = makeAuth0({ options, now, dataNow, counters, faults, directory, searched: changes.searched })
  const brevo = makeBrevo({ options, now, counters, faults, journal })
  const salesforce = makeSalesforce({ options, now: dataNow, counters, faults })
  const persona = makePersona({ options, now: dataNow, counters, faults })
  return { directory, faults, changes, journal, auth0, brevo, salesforce, persona }
}

const controlOf = (parts: () => ReturnType<typeof build>, reset: () => void): Control => ({
  get faults() {
    return parts().faults
  },
  upsertUser: (fields) => parts().directory.upsert(fields),
  deleteUser: (userId) => parts().directory.remove(userId),
  user: (userId) => parts().directory.get(userId),
  userVersions: (userId) => parts().directory.versions(userId),
  users: () => parts().directory.all(),
  userCount: () => parts().directory.count(),
  userId: (index) => parts().directory.generator.userId(index),
  contacts: () => parts().brevo.contacts(),
  contact: (extId) => parts().brevo.contact(extId),
  editContact: (extId, edit) => parts().brevo.edit(extId, edit),
  journal: () => {
    parts().brevo.advance()
    return parts().journal.entries()
  },
  expireTokens: () => {
    parts().auth0.expireTokens()
    parts().salesforce.expireSessions()
  },
  get salesforce() {
    return parts().salesforce.control
  },
  get persona() {
    return parts().persona.control
  },
  indexLag: (millis) => parts().directory.setLag(millis),
  importsTake: (millis) => parts().brevo.importsTake(millis),
  mails: () => {
    parts().brevo.advance()
    return parts().brevo.mails()
  },
  changes: (plan) => parts().changes.plan(plan),
  reset,
})

/** Made under the clock of the calling fiber, which all its times come from: a TestClock drives it whole. */
export const makeSandbox = (options: SandboxOptions): Effect.Effect<Sandbox> =>
  Clock.clockWith((clock) =>
    Effect.sync(() => {
      const now = () => clock.currentTimeMillisUnsafe()
      const counters = makeCounters()
      let parts = build(options, now, counters)
      const control = controlOf(
        () => parts,
        () => {
          resetCounters(counters)
          parts = build(options, now, counters)
        },
      )
      return {
        options,
        auth0: (request) => parts.auth0.handler(request),
        brevo: (request) => parts.brevo.handler(request),
        salesforce: (request) => parts.salesforce.handler(request),
        persona: (request) => parts.persona.handler(request),
        controlRoutes: makeControlHandler(control, counters),
        control,
        counters,
        unmodelled: counters.unmodelled,
      }
    }),
  )
