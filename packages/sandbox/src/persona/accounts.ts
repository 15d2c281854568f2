/** The accounts of the fake environment: what is stored of each, and how it is changed. */
import type { Now } from "../exchange.ts"
import { type AccountType, defaultType, typed } from "./types.ts"

export interface StoredAccount {
  readonly id: string
  readonly number: number
  readonly type: AccountType
  referenceId: string | undefined
  /** By Persona's own names: `name-first`. */
  readonly attributes: Map<string, unknown>
  /** The type's own fields, plain. */
  readonly fields: Map<string, unknown>
  tags: ReadonlyArray<string>
  redactedAt: string | undefined
  archivedAt: string | undefined
  readonly createdAt: number
}

/** What tests compare. */
export interface PersonaAccount {
  readonly id: string
  readonly referenceId: string | undefined
  readonly attributes: { readonly [name: string]: unknown }
  readonly fields: { readonly [name: string]: unknown }
  readonly tags: ReadonlyArray<string>
  readonly isRedacted: boolean
  readonly isArchived: boolean
}

export const attributeNames: ReadonlyArray<string> = [
  "email-address",
  "phone-number",
  "name-first",
  "name-middle",
  "name-last",
  "birthdate",
  "address-street-1",
  "address-street-2",
  "address-city",
  "address-subdivision",
  "address-postal-code",
  "country-code",
  "social-security-number",
]

export type Accounts = ReturnType<typeof makeAccounts>

export const makeAccounts = (now: Now) => {
  const byId = new Map<string, StoredAccount>()
  /** Newest first, as lists show them. */
  const live = (): ReadonlyArray<StoredAccount> =>
    [...byId.values()].filter(({ archivedAt }) => archivedAt === undefined).reverse()

  /** Archived ones keep their reference id, though no list shows them. */
  const holder = (referenceId: string, type: AccountType): StoredAccount | undefined =>
    [...(byReference.get(referenceId) ?? [])].find((account) => account.type === type)
  const byReference = new Map<string, Set<StoredAccount>>()

  const refer = (account: StoredAccount, referenceId: string | undefined) => {
    if (account.referenceId !== undefined) byReference.get(account.referenceId)?.delete(account)
    account.referenceId = referenceId
    if (referenceId === undefined) return
    byReference.set(referenceId, (byReference.get(referenceId) ?? new Set()).add(account))
  }

  return {
    get: (id: string): StoredAccount | undefined => byId.get(id),
    all: (): ReadonlyArray<StoredAccount> => [...byId.values()],
    live,
    holder,
    refer,
    /** Newest first. */
    withReferences: (ids: ReadonlyArray<string>): ReadonlyArray<StoredAccount> =>
      ids
        .flatMap((id) => [...(byReference.get(id) ?? [])])
        .filter(({ archivedAt }) => archivedAt === undefined)
        .sort((a, b) => b.number - a.number),
    create: (type: AccountType = defaultType): StoredAccount => {
      const number = byId.size + 1
      const account: StoredAccount = {
        id: `act_sandbox${String(number).padStart(8, "0")}`,
        number,
        type,
        referenceId: undefined,
        attributes: new Map(),
        fields: new Map(),
        tags: [],
        redactedAt: undefined,
        archivedAt: undefined,
        createdAt: now(),
      }
      byId.set(account.id, account)
      return account
    },
  }
}

const iso = (millis: number): string => new Date(millis).toISOString()

/** As the API shows it, whole. */
export const accountAnswer = (account: StoredAccount) => ({
  type: "account",
  id: account.id,
  attributes: {
    "reference-id": account.referenceId ?? null,
    "account-type-name": account.type.id,
    "redacted-at": account.redactedAt ?? null,
    "created-at": iso(account.createdAt),
    ...Object.fromEntries(attributeNames.map((name) => [name, account.attributes.get(name) ?? null])),
    tags: account.tags,
    fields: Object.fromEntries(
      account.type.fields
        .filter(({ archived }) => archived !== true)
        .map(({ key, type }) => [key, typed(type, account.fields.get(key) ?? null)]),
    ),
  },
  relationships: { "account-type": { data: { type: "account-type", id: account.type.id } } },
})

/** A sparse fieldset: only what was asked for. */
export const sparse = (answer: ReturnType<typeof accountAnswer>, wanted: string | null) => {
  if (wanted === null) return answer
  const names = new Set(wanted.split(","))
  const attributes = Object.fromEntries(Object.entries(answer.attributes).filter(([name]) => names.has(name)))
  return { ...answer, attributes }
}

export const viewOf = (account: StoredAccount): PersonaAccount => ({
  id: account.id,
  referenceId: account.referenceId,
  attributes: Object.fromEntries([...account.attributes].filter(([, value]) => value !== null)),
  fields: Object.fromEntries([...account.fields].filter(([, value]) => value !== null)),
  tags: account.tags,
  isRedacted: account.redactedAt !== undefined,
  isArchived: account.archivedAt !== undefined,
})
