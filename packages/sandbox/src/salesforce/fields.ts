/** What a field of an sObject is, and short ways to write one down. salesforce.md §5.6. */

export type FieldType =
  | "id"
  | "string"
  | "textarea"
  | "email"
  | "phone"
  | "url"
  | "picklist"
  | "multipicklist"
  | "boolean"
  | "int"
  | "double"
  | "currency"
  | "percent"
  | "date"
  | "datetime"
  | "reference"
  | "address"

/** What a record holds: dates as `yyyy-MM-dd`, instants as milliseconds, nothing as null. */
export type Value = string | number | boolean | null

export interface FieldSpec {
  readonly name: string
  readonly label: string
  readonly type: FieldType
  /** In characters; 0 where a type has none. */
  readonly length: number
  /** Digits before and after the point. */
  readonly precision: number
  readonly scale: number
  readonly createable: boolean
  readonly updateable: boolean
  readonly nillable: boolean
  readonly defaultedOnCreate: boolean
  readonly externalId: boolean
  readonly idLookup: boolean
  readonly unique: boolean
  readonly caseSensitive: boolean
  readonly restrictedPicklist: boolean
  readonly picklist: ReadonlyArray<string>
  readonly referenceTo: ReadonlyArray<string>
  readonly relationshipName: string | null
  readonly compoundFieldName: string | null
  /** What a new record has where nothing is sent. */
  readonly initial: Value
  /** Read-only, made of other fields. */
  readonly formula?: (value: (name: string) => Value) => unknown
}

const plain = {
  length: 0,
  precision: 0,
  scale: 0,
  createable: true,
  updateable: true,
  nillable: true,
  defaultedOnCreate: false,
  externalId: false,
  idLookup: false,
  unique: false,
  caseSensitive: false,
  restrictedPicklist: false,
  picklist: [],
  referenceTo: [],
  relationshipName: null,
  compoundFieldName: null,
  initial: null,
} as const satisfies Partial<FieldSpec>

/** `Last_Login__c` is shown as "Last Login", `AnnualRevenue` as "Annual Revenue". */
const labelOf = (name: string): string =>
  name
    .replace(/__p?c$/, "")
    .replaceAll("_", " ")
    .replace(/([a-z])([A-Z])/g, "$1 $2")

type Rest = Partial<Omit<FieldSpec, "name" | "type">>

export const field = (name: string, type: FieldType, rest: Rest = {}): FieldSpec => ({
  ...plain,
  name,
  type,
  label: labelOf(name),
  ...rest,
})

export const text = (name: string, length: number, rest?: Rest) => field(name, "string", { length, ...rest })
export const long = (name: string, length: number) => field(name, "textarea", { length })
export const phone = (name: string) => field(name, "phone", { length: 40 })
export const email = (name: string, rest?: Rest) => field(name, "email", { length: 80, ...rest })
export const integer = (name: string) => field(name, "int", { precision: 8 })
export const number = (name: string, precision = 18, scale = 0) => field(name, "double", { precision, scale })
export const currency = (name: string) => field(name, "currency", { precision: 18, scale: 2 })
export const checkbox = (name: string) =>
  field(name, "boolean", { nillable: false, defaultedOnCreate: true, initial: false })
export const date = (name: string) => field(name, "date")
export const instant = (name: string) => field(name, "datetime")

export const picklist = (name: string, values: ReadonlyArray<string>, rest?: Rest) =>
  field(name, "picklist", { length: 255, picklist: values, ...rest })

export const reference = (name: string, relationshipName: string, referenceTo: ReadonlyArray<string>, rest?: Rest) =>
  field(name, "reference", { length: 18, relationshipName, referenceTo, ...rest })

/** A custom external id. Unique and compared with its case unless it says otherwise. */
export const externalId = (name: string, rest?: Rest) =>
  text(name, 255, { externalId: true, idLookup: true, unique: true, caseSensitive: true, ...rest })

export const readOnly = { createable: false, updateable: false, nillable: false, defaultedOnCreate: true } as const

/** Street, city and so on can be written, the compound cannot. */
export const address = (prefix: string): ReadonlyArray<FieldSpec> => {
  const compoundFieldName = `${prefix}Address`
  const part = (name: string, type: FieldType, length: number) =>
    field(`${prefix}${name}`, type, { length, compoundFieldName })
  const parts = [
    part("Street", "textarea", 255),
    part("City", "string", 40),
    part("State", "string", 80),
    part("PostalCode", "string", 20),
    part("Country", "string", 80),
  ]
  return [
    ...parts,
    field(compoundFieldName, "address", {
      ...readOnly,
      nillable: true,
      defaultedOnCreate: false,
      formula: (value) => {
        const known = parts.flatMap(({ name }) => {
          const part = name.slice(prefix.length)
          return value(name) === null ? [] : [[`${part.charAt(0).toLowerCase()}${part.slice(1)}`, value(name)] as const]
        })
        return known.length === 0 ? null : Object.fromEntries(known)
      },
    }),
  ]
}

/** First and last name, and the two as one, which is read only. */
export const personName = (rest?: Rest): ReadonlyArray<FieldSpec> => [
  text("LastName", 80, { compoundFieldName: "Name", nillable: false, ...rest }),
  text("FirstName", 40, { compoundFieldName: "Name" }),
  picklist("Salutation", ["Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx."], { compoundFieldName: "Name", length: 40 }),
  text("Name", 121, {
    ...readOnly,
    defaultedOnCreate: false,
    formula: (value) => [value("FirstName"), value("LastName")].filter((part) => part !== null).join(" "),
  }),
]
