/** What the routes of the fake environment share. */
import type { Now } from "../exchange.ts"
import type { PersonaOptions } from "../options.ts"
import type { Accounts } from "./accounts.ts"
import type { PersonaJournal } from "./journal.ts"
import { type AccountType, defaultType, userType } from "./types.ts"

export interface Environment {
  readonly accounts: Accounts
  readonly types: { readonly get: (id: string) => AccountType | undefined; readonly defaultId: string }
  readonly journal: PersonaJournal
  readonly options: Required<Pick<PersonaOptions, "upsertBy" | "nullClears">>
  readonly now: Now
}

export const typesOf = (fields: PersonaOptions["fields"]): Environment["types"] => {
  const types = new Map(
    [defaultType, fields === undefined ? userType : { ...userType, fields }].map((type) => [type.id, type]),
  )
  return { get: (id) => types.get(id), defaultId: defaultType.id }
}
