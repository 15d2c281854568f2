/** Applies the attributes of a request to an account, or says what is wrong with them. Nothing is applied then. */
import { isObject, type JsonObject, own, type SandboxAnswer } from "../exchange.ts"
import { attributeNames, type StoredAccount } from "./accounts.ts"
import { badRequest, invalid } from "./errors.ts"
import { unfit } from "./types.ts"

const formats: { readonly [name: string]: RegExp } = {
  "email-address": /^[^\s@]+@[^\s@]+$/,
  "country-code": /^[A-Z]{2}$/,
  birthdate: /^\d{4}-\d\d-\d\d$/,
}

const isTags = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.every((tag) => typeof tag === "string" && tag !== "")

const standardProblem = (name: string, value: unknown): SandboxAnswer | undefined => {
  if (value === null || value === "") return undefined
  if (typeof value !== "string") return badRequest(`data.attributes.${name} must be a string`)
  const format = formats[name]
  return format === undefined || format.test(value)
    ? undefined
    : invalid(`${name} is invalid`, `/data/attributes/${name}`)
}

const customProblem = (account: StoredAccount, fields: JsonObject): SandboxAnswer | undefined => {
  for (const key of Object.keys(fields)) {
    const field = account.type.fields.find((each) => each.key === key)
    if (field === undefined) return badRequest(`data.attributes.fields.${key} is not a field of the account type`)
    const wrong = unfit(field, own(fields, key))
    if (wrong !== undefined) return invalid(`${key} ${wrong}`, `/data/attributes/fields/${key}`)
  }
  return undefined
}

/** `more`: attributes that this request may have beside. */
export const attributeProblem = (
  account: StoredAccount,
  attributes: JsonObject,
  more: ReadonlyArray<string>,
): SandboxAnswer | undefined => {
  for (const name of Object.keys(attributes)) {
    const value = own(attributes, name)
    if (name === "fields") {
      if (!isObject(value)) return badRequest("data.attributes.fields must be an object")
      const wrong = customProblem(account, value)
      if (wrong !== undefined) return wrong
    } else if (name === "tags") {
      if (!isTags(value)) return badRequest("data.attributes.tags must be an array of strings")
    } else if (name === "reference-id") {
      if (typeof value !== "string") return badRequest("data.attributes.reference-id must be a string")
    } else if (attributeNames.includes(name)) {
      const wrong = standardProblem(name, value)
      if (wrong !== undefined) return wrong
    } else if (!more.includes(name)) return badRequest(`data.attributes.${name} is not a recognized attribute`)
  }
  return undefined
}

/** `clears`: whether a null clears. */
export const applyAttributes = (account: StoredAccount, attributes: JsonObject, clears: boolean): void => {
  const put = (map: Map<string, unknown>, name: string, value: unknown) => {
    if (value !== null && value !== "") map.set(name, value)
    else if (value === "" || clears) map.delete(name)
  }
  for (const name of Object.keys(attributes)) {
    const value = own(attributes, name)
    if (name === "fields" && isObject(value)) {
      for (const key of Object.keys(value)) put(account.fields, key, own(value, key))
    } else if (name === "tags" && isTags(value)) account.tags = [...new Set(value)]
    else if (attributeNames.includes(name)) put(account.attributes, name, value)
  }
}
