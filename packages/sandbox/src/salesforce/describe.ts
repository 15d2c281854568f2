/** GET /sobjects and the describe of each: what may be written, and how. salesforce.md §5.6. */
import { json, type SandboxAnswer } from "../exchange.ts"
import type { Route } from "../vendor.ts"
import { failure } from "./errors.ts"
import type { FieldSpec } from "./fields.ts"
import type { ObjectSpec } from "./objects.ts"
import type { Org } from "./org.ts"

const soapTypes: { readonly [type in FieldSpec["type"]]?: string } = {
  id: "tns:ID",
  reference: "tns:ID",
  boolean: "xsd:boolean",
  int: "xsd:int",
  double: "xsd:double",
  currency: "xsd:double",
  percent: "xsd:double",
  date: "xsd:date",
  datetime: "xsd:dateTime",
  address: "urn:address",
}

const fieldAnswer = (field: FieldSpec) => ({
  aggregatable: field.type !== "address",
  autoNumber: false,
  byteLength: field.length * 3,
  calculated: false,
  caseSensitive: field.caseSensitive,
  compoundFieldName: field.compoundFieldName,
  controllerName: null,
  createable: field.createable,
  custom: /__p?c$/.test(field.name),
  defaultValue: field.type === "boolean" ? field.initial : null,
  defaultedOnCreate: field.defaultedOnCreate,
  dependentPicklist: false,
  deprecatedAndHidden: false,
  digits: field.type === "int" ? field.precision : 0,
  externalId: field.externalId,
  filterable: field.type !== "address" && !(field.type === "textarea" && field.length > 255),
  groupable: field.type !== "address",
  idLookup: field.idLookup,
  label: field.label,
  length: field.length,
  name: field.name,
  nameField: field.name === "Name",
  nillable: field.nillable,
  permissionable: field.createable && field.nillable,
  picklistValues: field.picklist.map((value) => ({
    active: true,
    defaultValue: value === field.initial,
    label: value,
    validFor: null,
    value,
  })),
  polymorphicForeignKey: field.referenceTo.length > 1,
  precision: field.type === "int" ? 0 : field.precision,
  referenceTo: field.referenceTo,
  relationshipName: field.relationshipName,
  restrictedPicklist: field.restrictedPicklist,
  scale: field.scale,
  soapType: soapTypes[field.type] ?? "xsd:string",
  sortable: field.type !== "address",
  type: field.type,
  unique: field.unique,
  updateable: field.updateable,
})

const objectAnswer = ({ name, label, plural, prefix }: ObjectSpec, version: string) => {
  const base = `/services/data/${version}/sobjects/${name}`
  return {
    createable: true,
    custom: name.endsWith("__c"),
    deletable: true,
    keyPrefix: prefix,
    label,
    labelPlural: plural,
    name,
    queryable: true,
    retrieveable: true,
    updateable: true,
    urls: { sobject: base, describe: `${base}/describe`, rowTemplate: `${base}/{ID}` },
  }
}

export const noObject = (name: string): SandboxAnswer =>
  failure(404, "NOT_FOUND", `The requested resource does not exist: ${name}`)

export const describeRoutes = (org: Org): ReadonlyArray<Route> => [
  {
    method: "GET",
    pattern: "/services/data/:version/sobjects",
    kind: "read",
    run: (_, [version = ""]) =>
      json(200, {
        encoding: "UTF-8",
        maxBatchSize: 200,
        sobjects: org.tables.map(({ spec }) => objectAnswer(spec, version)),
      }),
  },
  {
    method: "GET",
    pattern: "/services/data/:version/sobjects/:object/describe",
    kind: "read",
    run: (_, [version = "", object = ""]) => {
      const table = org.table(object)
      if (table === undefined) return noObject(object)
      const fields = table.spec.fields.map(fieldAnswer)
      return json(200, { ...objectAnswer(table.spec, version), childRelationships: [], recordTypeInfos: [], fields })
    },
  },
  {
    method: "GET",
    pattern: "/services/data/:version/sobjects/:object",
    kind: "read",
    run: (_, [version = "", object = ""]) => {
      const table = org.table(object)
      if (table === undefined) return noObject(object)
      return json(200, { objectDescribe: objectAnswer(table.spec, version), recentItems: [] })
    },
  },
]
