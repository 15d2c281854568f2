/** The sObjects of the fake org, with the custom fields that an administrator has added for the files in `configs/`. */
import {
  address,
  checkbox,
  currency,
  date,
  email,
  externalId,
  type FieldSpec,
  field,
  instant,
  integer,
  long,
  number,
  personName,
  phone,
  picklist,
  readOnly,
  reference,
  text,
} from "./fields.ts"

export interface ObjectSpec {
  readonly name: string
  readonly label: string
  readonly plural: string
  /** The first three letters of its ids. */
  readonly prefix: string
  readonly fields: ReadonlyArray<FieldSpec>
}

/** A custom field of the options: everything but its name and type has a default. */
export type CustomField = Pick<FieldSpec, "name" | "type"> & Partial<FieldSpec> & { readonly object: string }

const system: ReadonlyArray<FieldSpec> = [
  field("Id", "id", { ...readOnly, length: 18, idLookup: true }),
  field("IsDeleted", "boolean", { ...readOnly, initial: false }),
  field("CreatedDate", "datetime", readOnly),
  reference("CreatedById", "CreatedBy", ["User"], readOnly),
  field("LastModifiedDate", "datetime", readOnly),
  reference("LastModifiedById", "LastModifiedBy", ["User"], readOnly),
  field("SystemModstamp", "datetime", readOnly),
]

const owner = reference("OwnerId", "Owner", ["User"], { nillable: false, defaultedOnCreate: true })

/** Comes with the conversion of a lead; nobody writes it. */
const converted: ReadonlyArray<FieldSpec> = [
  field("IsConverted", "boolean", { ...readOnly, initial: false }),
  field("ConvertedDate", "date", { ...readOnly, nillable: true }),
  reference("ConvertedAccountId", "ConvertedAccount", ["Account"], { ...readOnly, nillable: true }),
  reference("ConvertedContactId", "ConvertedContact", ["Contact"], { ...readOnly, nillable: true }),
  reference("ConvertedOpportunityId", "ConvertedOpportunity", ["Opportunity"], { ...readOnly, nillable: true }),
]

/** What Auth0 knows of a person. `Auth0_Status__c` is restricted, `LeadSource` is not. */
const auth0: ReadonlyArray<FieldSpec> = [
  externalId("Auth0_Id__c"),
  checkbox("Email_Verified__c"),
  checkbox("Blocked__c"),
  picklist("Auth0_Status__c", ["Active", "Blocked", "Deleted"], { restrictedPicklist: true }),
  instant("Signup_Date__c"),
  instant("Last_Login__c"),
  number("Logins_Count__c"),
  text("Plan__c", 80),
  field("Interests__c", "multipicklist", { length: 4099, picklist: ["news", "offers", "events"] }),
  field("Avatar__c", "url", { length: 255 }),
  text("Nickname__c", 80),
  text("Locale__c", 20),
  text("Connection__c", 80),
  long("Roles__c", 32_768),
]

const sources = ["Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"]
const industries = ["Banking", "Consulting", "Education", "Energy", "Retail", "Technology", "Other"]

const account = (personAccounts: boolean): ReadonlyArray<FieldSpec> => [
  ...(personAccounts
    ? [
        ...personName({ nillable: true }).filter(({ name }) => name !== "Name"),
        field("IsPersonAccount", "boolean", { ...readOnly, initial: false }),
        reference("PersonContactId", "PersonContact", ["Contact"], { ...readOnly, nillable: true }),
        email("PersonEmail", { idLookup: true }),
        phone("PersonMobilePhone"),
        externalId("Auth0_Id__pc"),
      ]
    : []),
  text("Name", 255, { nillable: false }),
  phone("Phone"),
  field("Website", "url", { length: 255 }),
  picklist("Type", ["Prospect", "Customer - Direct", "Customer - Channel", "Other"]),
  picklist("Industry", industries),
  currency("AnnualRevenue"),
  integer("NumberOfEmployees"),
  long("Description", 32_000),
  ...address("Billing"),
  reference("ParentId", "Parent", ["Account"]),
  externalId("Auth0_Org_Id__c"),
  picklist("Subscription_Status__c", ["Trial", "Active", "Cancelled"], { restrictedPicklist: true }),
  text("Plan__c", 80),
  date("Renewal_Date__c"),
]

/** All objects with their fields, the system's among them. */
export const objectsOf = (personAccounts: boolean, custom: ReadonlyArray<CustomField>): ReadonlyArray<ObjectSpec> => {
  const object = (name: string, plural: string, prefix: string, fields: ReadonlyArray<FieldSpec>): ObjectSpec => {
    const added = custom.filter((each) => each.object === name).map(({ object: _, ...each }) => addedField(each))
    const names = new Set(added.map((each) => each.name))
    const kept = [...system, owner, ...fields].filter((each) => !names.has(each.name))
    return { name, label: name.replace(/__c$/, "").replaceAll("_", " "), plural, prefix, fields: [...kept, ...added] }
  }
  return [
    object("Account", "Accounts", "001", account(personAccounts)),
    object("Contact", "Contacts", "003", [
      ...personName(),
      reference("AccountId", "Account", ["Account"]),
      ...(personAccounts ? [field("IsPersonAccount", "boolean", { ...readOnly, initial: false })] : []),
      email("Email", { idLookup: true }),
      phone("Phone"),
      phone("MobilePhone"),
      text("Title", 128),
      text("Department", 80),
      picklist("LeadSource", sources),
      date("Birthdate"),
      long("Description", 32_000),
      field("HasOptedOutOfEmail", "boolean", { nillable: false, defaultedOnCreate: true, initial: false }),
      ...address("Mailing"),
      ...auth0,
    ]),
    object("Lead", "Leads", "00Q", [
      ...personName(),
      text("Company", 255, { nillable: false }),
      email("Email", { idLookup: true }),
      phone("Phone"),
      phone("MobilePhone"),
      text("Title", 128),
      field("Website", "url", { length: 255 }),
      picklist("LeadSource", sources),
      picklist("Status", ["Open - Not Contacted", "Working - Contacted", "Closed - Converted"], {
        nillable: false,
        defaultedOnCreate: true,
        initial: "Open - Not Contacted",
      }),
      picklist("Industry", industries),
      currency("AnnualRevenue"),
      integer("NumberOfEmployees"),
      long("Description", 32_000),
      field("HasOptedOutOfEmail", "boolean", { nillable: false, defaultedOnCreate: true, initial: false }),
      ...address(""),
      ...converted,
      ...auth0,
    ]),
    object("Opportunity", "Opportunities", "006", [
      text("Name", 120, { nillable: false }),
      reference("AccountId", "Account", ["Account"]),
      picklist("StageName", ["Prospecting", "Negotiation/Review", "Closed Won", "Closed Lost"], { nillable: false }),
      field("CloseDate", "date", { nillable: false }),
      currency("Amount"),
      field("IsWon", "boolean", { ...readOnly, formula: (value) => value("StageName") === "Closed Won" }),
      field("IsClosed", "boolean", { ...readOnly, formula: (value) => `${value("StageName")}`.startsWith("Closed") }),
      picklist("LeadSource", sources),
      long("Description", 32_000),
      externalId("Auth0_Org_Id__c"),
    ]),
    object("Task", "Tasks", "00T", [
      reference("WhoId", "Who", ["Contact", "Lead"]),
      reference("WhatId", "What", ["Account", "Opportunity"]),
      text("Subject", 255),
      date("ActivityDate"),
      picklist("Status", ["Not Started", "In Progress", "Completed"], {
        nillable: false,
        defaultedOnCreate: true,
        initial: "Not Started",
      }),
      picklist("Priority", ["High", "Normal", "Low"], {
        nillable: false,
        defaultedOnCreate: true,
        initial: "Normal",
      }),
      long("Description", 32_000),
      externalId("Auth0_Log_Id__c"),
    ]),
    object("Subscription__c", "Subscriptions", "a00", [
      text("Name", 80),
      externalId("External_Id__c"),
      // Not unique: several records may have one value, and an upsert by it is ambiguous.
      externalId("Legacy_Id__c", { unique: false, caseSensitive: false }),
      // Unique, but "abc" is "ABC".
      externalId("Code__c", { caseSensitive: false }),
      reference("Contact__c", "Contact__r", ["Contact"]),
      reference("Account__c", "Account__r", ["Account"]),
      picklist("Status__c", ["Trial", "Active", "Cancelled"], { restrictedPicklist: true }),
      currency("Amount__c"),
      field("Discount__c", "percent", { precision: 5, scale: 2 }),
      date("Start_Date__c"),
      checkbox("Active__c"),
      long("Notes__c", 32_768),
    ]),
  ]
}

const lengths: { readonly [type in FieldSpec["type"]]?: number } = {
  string: 255,
  textarea: 255,
  email: 80,
  phone: 40,
  url: 255,
  picklist: 255,
  multipicklist: 4099,
}

const addedField = ({ name, type, ...rest }: Omit<CustomField, "object">): FieldSpec =>
  field(name, type, {
    length: lengths[type] ?? 0,
    precision: 18,
    ...(type === "boolean" ? { nillable: false, defaultedOnCreate: true, initial: false } : {}),
    ...rest,
  })
