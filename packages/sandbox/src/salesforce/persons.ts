/** Person accounts: an Account that is one person, with a Contact as its shadow, which only the account changes. salesforce.md §3.2. */
import type { Org } from "./org.ts"
import type { Row, Table } from "./table.ts"

export const isPerson = (table: Table, row: Row): boolean =>
  table.spec.name === "Account" && (row[table.placeOf("LastName")] ?? null) !== null

/** What the shadow has of the account. */
const shared = [
  ["LastName", "LastName"],
  ["FirstName", "FirstName"],
  ["PersonEmail", "Email"],
  ["PersonMobilePhone", "MobilePhone"],
  ["Auth0_Id__pc", "Auth0_Id__c"],
] as const

/** Names the account after its person and writes the shadow; before the account itself is written. */
export const castShadow = (org: Org, table: Table, row: Row): void => {
  const contacts = org.table("Contact")
  if (contacts === undefined || !isPerson(table, row)) return
  const names = [row[table.placeOf("FirstName")], row[table.placeOf("LastName")]]
  row[table.placeOf("Name")] = names.filter((name) => typeof name === "string").join(" ")
  row[table.placeOf("IsPersonAccount")] = true
  const known = org.record(String(row[table.placeOf("PersonContactId")] ?? ""))
  const before = known._tag === "Found" ? known : undefined
  const shadow = before === undefined ? [...contacts.initial] : [...before.row]
  shadow[contacts.placeOf("IsPersonAccount")] = true
  for (const [account, contact] of shared) shadow[contacts.placeOf(contact)] = row[table.placeOf(account)]
  if (before !== undefined) contacts.write(before.number, before.row, shadow)
  else row[table.placeOf("PersonContactId")] = contacts.idOf(contacts.insert(shadow))
}
