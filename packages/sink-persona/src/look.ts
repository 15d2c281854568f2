/** Finds accounts by their reference ids, a hundred in a call. */
import type { SinkError } from "@sluice/core"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import { PAGE, type PersonaApi } from "./api.ts"
import type { Account, AccountPage } from "./shapes.ts"

/** By reference id. Several: types of account count their reference ids each for itself. */
export type Found = ReadonlyMap<string, ReadonlyArray<Account>>

export type Look = (ids: ReadonlyArray<string>) => Effect.Effect<Found, SinkError>

const isOf = (type: string | undefined, account: Account): boolean =>
  type === undefined || account.type === undefined || account.type === type

/** Where Persona does not say it, a full page that lacks somebody may have another one after it. */
const mayGoOn = ({ accounts, isLast }: AccountPage, ids: ReadonlyArray<string>): boolean => {
  if (isLast !== undefined) return !isLast
  const seen = new Set(accounts.map(({ referenceId }) => referenceId))
  return accounts.length >= PAGE && ids.some((id) => !seen.has(id))
}

/** `shown`: the attributes that come back. */
export const makeLook = (api: PersonaApi, type: string | undefined, shown: ReadonlyArray<string>): Look => {
  const pagesOf = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
    const accounts: Array<Account> = []
    let after: string | undefined
    do {
      const page = yield* api.accountsByReference(ids, after, shown)
      accounts.push(...page.accounts)
      after = mayGoOn(page, ids) ? page.accounts.at(-1)?.id : undefined
    } while (after !== undefined)
    return accounts
  })

  return Effect.fnUntraced(function* (ids) {
    // The list is separated by commas, so an id with one is nobody's there: writing it finds its account by itself.
    const askable = [...new Set(ids)].filter((id) => !id.includes(","))
    const found = new Map<string, ReadonlyArray<Account>>()
    for (const chunk of Arr.chunksOf(askable, PAGE)) {
      for (const account of yield* pagesOf(chunk)) {
        const id = account.referenceId
        // Compared here as well: nobody knows how the filter takes case and spaces.
        if (id === undefined || !chunk.includes(id) || !isOf(type, account)) continue
        found.set(id, [...(found.get(id) ?? []), account])
      }
    }
    return found
  })
}
