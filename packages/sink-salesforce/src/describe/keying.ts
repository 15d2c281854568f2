/** How Salesforce compares the values of a field that records are found by, and how a query writes them. */
import { id18 } from "../ids.ts"
import type { DescribedField } from "../shapes.ts"
import { ID_FORMAT, toFormat, typeOf } from "./fields.ts"

export interface Keying {
  /** One text for one value, however it is spelled: `3.0` is 3. */
  readonly canonical: (text: string) => string
  /** One text for all that are one key: where the field takes ABC for abc, for these too. */
  readonly folded: (text: string) => string
  /** Two users may have what is one key to the field. An address that differs by capitals is nobody else's. */
  readonly merges: boolean
  /** Numbers stand without quotes in a query. */
  readonly isNumber: boolean
}

const same = (text: string): string => text

const isNumeric = (field: DescribedField): boolean => typeOf(field) === "number" || typeOf(field) === "integer"

/** What is no number is left as it is: no record has it. */
const asNumber = (text: string): string => {
  const value = Number(text)
  return text.trim() === "" || !Number.isFinite(value) ? text : String(value)
}

const plain = { merges: false, isNumber: false }

/** Where the field is not there, as any text. */
export const keyingOf = (field: DescribedField | undefined): Keying => {
  if (field !== undefined && isNumeric(field))
    return { ...plain, canonical: asNumber, folded: asNumber, isNumber: true }
  if (field !== undefined && toFormat(field) === ID_FORMAT) return { ...plain, canonical: id18, folded: id18 }
  if (field?.caseSensitive === true) return { ...plain, canonical: same, folded: same }
  const merges = field?.externalId === true && field.type !== "email"
  return { ...plain, canonical: same, folded: (text) => text.toLowerCase(), merges }
}
