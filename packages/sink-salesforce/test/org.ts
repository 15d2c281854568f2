/** The objects of a small organization, as it describes them. */
import type { Json, JsonObject } from "effect/Schema"

const field = (name: string, type: string, given: JsonObject = {}): JsonObject => ({
  name,
  type,
  length: 0,
  createable: true,
  updateable: true,
  nillable: true,
  defaultedOnCreate: false,
  externalId: false,
  idLookup: false,
  unique: false,
  caseSensitive: false,
  restrictedPicklist: false,
  picklistValues: [],
  referenceTo: [],
  relationshipName: null,
  ...given,
})

const readOnly = { createable: false, updateable: false }
const id = field("Id", "id", { ...readOnly, length: 18, nillable: false, idLookup: true })
const text = (name: string, length: number, given: JsonObject = {}) => field(name, "string", { length, ...given })
const email = field("Email", "email", { length: 80, idLookup: true })

/** As the setup guide says to make it. */
export const externalId = (name: string, given: JsonObject = {}) =>
  text(name, 255, { externalId: true, idLookup: true, unique: true, caseSensitive: true, ...given })

const picklist = (name: string, values: ReadonlyArray<readonly [string, boolean]>, given: JsonObject = {}) =>
  field(name, "picklist", {
    length: 255,
    picklistValues: values.map(([value, active]): Json => ({ value, label: value, active, defaultValue: false })),
    ...given,
  })

const reference = (name: string, relationshipName: string, referenceTo: ReadonlyArray<string>) =>
  field(name, "reference", { length: 18, relationshipName, referenceTo: [...referenceTo] })

const person = [
  id,
  externalId("Auth0_Id__c"),
  text("FirstName", 40),
  text("LastName", 80, { nillable: false }),
  email,
  field("Phone", "phone", { length: 40 }),
  field("Description", "textarea", { length: 32_000 }),
  field("Last_Login__c", "datetime"),
  field("Logins_Count__c", "double"),
  field("Balance__c", "currency", { precision: 18, scale: 2 }),
  field("Employees__c", "int", { digits: 8 }),
  field("Birthdate", "date"),
  field("HasOptedOutOfEmail", "boolean", { nillable: false, defaultedOnCreate: true }),
  picklist(
    "Tier__c",
    [
      ["free", true],
      ["gold", true],
      ["old", false],
    ],
    { restrictedPicklist: true },
  ),
  picklist("LeadSource", [["Web", true]]),
  field("Topics__c", "multipicklist", {
    length: 60,
    restrictedPicklist: true,
    picklistValues: [
      { value: "news", active: true },
      { value: "offers", active: true },
    ],
  }),
  reference("OwnerId", "Owner", ["User", "Group"]),
]

const objects: { readonly [name: string]: { readonly prefix: string; readonly fields: ReadonlyArray<JsonObject> } } = {
  Contact: {
    prefix: "003",
    fields: [
      ...person,
      reference("AccountId", "Account", ["Account"]),
      field("MailingAddress", "address", readOnly),
      text("MailingCity", 40),
    ],
  },
  Lead: {
    prefix: "00Q",
    fields: [
      ...person,
      text("Company", 255, { nillable: false }),
      field("IsConverted", "boolean", { ...readOnly, nillable: false, defaultedOnCreate: true }),
      field("ConvertedContactId", "reference", { ...readOnly, referenceTo: ["Contact"] }),
    ],
  },
  Account: {
    prefix: "001",
    fields: [id, externalId("Auth0_Org_Id__c"), text("Name", 255, { nillable: false }), text("Website", 255)],
  },
  Task: {
    prefix: "00T",
    fields: [
      id,
      externalId("Auth0_Log_Id__c"),
      text("Subject", 255),
      reference("WhoId", "Who", ["Contact", "Lead"]),
      reference("WhatId", "What", ["Account", "Opportunity"]),
    ],
  },
}

/** `change`: fields that are otherwise in this organization, by name; null takes one away. */
export const described = (name: string, change: { readonly [field: string]: JsonObject | null } = {}): JsonObject => {
  const object = objects[name]
  if (object === undefined) throw new Error(`the organization has no ${name}`)
  const fields = object.fields.flatMap((each): ReadonlyArray<JsonObject> => {
    const other = change[String(each.name)]
    return other === null ? [] : [{ ...each, ...other }]
  })
  const more = Object.entries(change).flatMap(([added, given]) =>
    given === null || object.fields.some((each) => each.name === added) ? [] : [field(added, "string", given)],
  )
  return { name, keyPrefix: object.prefix, createable: true, updateable: true, fields: [...fields, ...more] }
}
