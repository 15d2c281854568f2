/** How `sluice init --connect` proposes a mapping: by names, meanings and types, and what it leaves to a person. */
import type { Field } from "@sluice/core"
import * as Schema from "effect/Schema"
import { assert, describe, it } from "vitest"
import { meaningOf, overlaps, wordsOf } from "../src/authoring/names.ts"
import { propose } from "../src/authoring/propose.ts"
import { describedFields, type SourceField, seenFields } from "../src/authoring/sourceFields.ts"

const text = Schema.optionalKey(Schema.String)
const spec = {
  description: "",
  options: Schema.Struct({}),
  record: Schema.Struct({
    user_id: Schema.String,
    email: text,
    email_verified: Schema.optionalKey(Schema.Boolean),
    phone_number: text,
    given_name: text,
    family_name: text,
    created_at: text,
    logins_count: Schema.optionalKey(Schema.Int),
    roles: Schema.optionalKey(Schema.Array(Schema.String)),
    user_metadata: Schema.optionalKey(Schema.JsonObject),
  }),
  modes: ["full" as const],
  snapshot: true,
}
const source = describedFields(spec)

const field = (name: string, type: Field["type"] = "text", more: Partial<Field> = {}): Field => ({
  name,
  type,
  writable: true,
  ...more,
})
const key = field("ext_id", "text", { key: true })

/** `from` of each mapped field, without the key. */
const mapped = (fields: ReadonlyArray<Field>, from: ReadonlyArray<SourceField> = source) =>
  Object.fromEntries(
    propose("ext_id", [key, ...fields], from)
      .map.filter((each) => each.field !== "ext_id")
      .map((each) => [each.field, each.from]),
  )
const doubts = (fields: ReadonlyArray<Field>, from: ReadonlyArray<SourceField> = source) =>
  Object.fromEntries(
    propose("ext_id", [key, ...fields], from).doubtful.map((each) => [each.field, [each.from, each.doubt]]),
  )

describe("names", () => {
  it("have the same words in any case, with any separator, with accents and a custom field's mark", () => {
    for (const name of ["FirstName", "first_name", "FIRST-NAME", "first.name", "First_Name__c"]) {
      assert.deepStrictEqual(wordsOf(name), ["first", "name"], name)
    }
    assert.deepStrictEqual(wordsOf("Prénom"), ["prenom"])
    assert.deepStrictEqual(wordsOf("HTMLPageURL"), ["html", "page", "url"])
  })

  const same: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["given_name", ["FIRSTNAME", "PRENOM", "FirstName", "name-first", "Vorname", "NOMBRE", "First_Name__c"]],
    ["family_name", ["LASTNAME", "NOM", "LastName", "name-last", "Nachname"]],
    ["email", ["Email", "email-address", "EMAIL", "user_email"]],
    ["phone_number", ["SMS", "MobilePhone", "phone-number", "Phone"]],
    ["created_at", ["SIGNUP_DATE", "CreatedDate", "signup_date"]],
    ["user_id", ["ext_id", "reference-id", "Auth0_Id__c", "External_Id__c"]],
    ["city", ["MailingCity", "address-city", "VILLE"]],
    ["postal_code", ["MailingPostalCode", "address-postal-code", "zip"]],
  ]
  for (const [name, others] of same) {
    it(`${name} means the same as ${others.join(", ")}`, () => {
      const meaning = meaningOf(name)
      assert.isDefined(meaning)
      for (const other of others) assert.strictEqual(meaningOf(other), meaning, other)
    })
  }

  it("that share a short word only are not alike", () => {
    assert.isTrue(overlaps("ROLE", "user_role"))
    assert.isFalse(overlaps("id", "user_id"))
    assert.isFalse(overlaps("FIRST_ORDER", "first_name"))
    assert.isFalse(overlaps("name_middle", "name"), "a part of a name and the name are two things")
  })
})

describe("what is sure", () => {
  it("one meaning and a type that fits, converted where that is needed", () => {
    const fields = [field("PRENOM"), field("NOM"), field("SIGNUP_DATE", "date"), field("LOGIN_COUNT", "number")]
    assert.deepStrictEqual(mapped(fields), {
      PRENOM: "given_name",
      NOM: "family_name",
      SIGNUP_DATE: "created_at",
      LOGIN_COUNT: "logins_count",
    })
    const [, ...rest] = propose("ext_id", [key, ...fields], source).map
    assert.deepStrictEqual(
      rest.map(({ as }) => as),
      [undefined, undefined, "date", undefined],
    )
  })

  it("a source field goes to one destination field, to the one with its very name first", () => {
    const fields = [field("MobilePhone"), field("Phone_Number")]
    assert.deepStrictEqual(mapped(fields), { Phone_Number: "phone_number" })
    assert.deepStrictEqual(doubts(fields), { MobilePhone: ["phone_number", "phone_number is mapped already"] })
  })

  it("what cannot be written is left out", () => {
    assert.deepStrictEqual(mapped([field("Email", "text", { writable: false })]), {})
  })

  it("a required name has something to show for people without one", () => {
    const { map } = propose("ext_id", [key, field("LastName", "text", { required: true })], source)
    assert.deepInclude(map[1], { field: "LastName", from: "family_name", default: "(unknown)" })
  })
})

describe("what is left to a person, as a comment", () => {
  it("names that are alike, values that are listed, types that fit some values", () => {
    const fields = [
      field("ORIGINAL_EMAIL"),
      field("FIRSTNAME", "text", { options: ["Ada"] }),
      field("SMS", "number"),
      field("EMAIL_VERIFIED", "date"),
    ]
    assert.deepStrictEqual(mapped(fields), {})
    assert.deepStrictEqual(doubts(fields), {
      ORIGINAL_EMAIL: ["email", "the names are alike"],
      FIRSTNAME: ["given_name", "it takes listed values only"],
      SMS: ["phone_number", "number from text"],
    })
  })

  it("two doubts are too many", () => {
    assert.deepStrictEqual(doubts([field("WORK_EMAIL", "text", { options: ["a"] })]), {})
  })

  it("required fields that nothing fits are named", () => {
    const proposal = propose("ext_id", [key, field("Segment", "text", { required: true }), field("Score")], source)
    assert.deepStrictEqual(proposal.missing, ["Segment"])
    assert.deepStrictEqual(proposal.left.fields, ["Segment", "Score"])
  })
})

describe("the key", () => {
  const keyOf = (fields: ReadonlyArray<Field>, own?: string) => {
    const { key: name, map } = propose(own, fields, source)
    return [name, map[0]?.from]
  }
  const email = field("Email", "text", { key: true })

  it("is the object's own, else an id of another system, else the e-mail address", () => {
    const external = field("Auth0_Id__c", "text", { key: true })
    const own = field("Id", "text", { key: true, writable: false })
    assert.deepStrictEqual(keyOf([key, email], "ext_id"), ["ext_id", "user_id"])
    assert.deepStrictEqual(keyOf([own, email, external]), ["Auth0_Id__c", "user_id"])
    assert.deepStrictEqual(keyOf([own, email]), ["Email", "email"])
  })

  it("is `id` where the destination takes any name, and says who a record is beside it", () => {
    const { map } = propose(undefined, [], source)
    assert.deepStrictEqual(
      map.map((each) => [each.field, each.from]),
      [
        ["id", "user_id"],
        ["email", "email"],
        ["given_name", "given_name"],
        ["family_name", "family_name"],
      ],
    )
  })
})

describe("records that were looked at", () => {
  const records = [
    { user_id: "1", email: "a@example.com", user_metadata: { company: "A", phone: "+1", "b@example.com": 1 } },
    { user_id: "2", email: "b@example.com", user_metadata: { company: "B", signup_date: "2026-01-01T00:00:00Z" } },
    { user_id: "3", score: 1.5 },
    { user_id: "4", score: 2 },
  ]
  const seen = seenFields(spec, records)

  it("show what stands in maps, and types; a key that is no name is nobody's field", () => {
    const types = Object.fromEntries(seen.map(({ path, type }) => [path, type]))
    assert.deepInclude(types, { "user_metadata.company": "text", "user_metadata.signup_date": "time", score: "number" })
    assert.notProperty(types, "user_metadata.b@example.com")
    assert.deepStrictEqual(mapped([field("COMPANY")], seen), { COMPANY: "user_metadata.company" })
  })

  it("a field that records have comes before one that only the schema knows", () => {
    assert.deepStrictEqual(mapped([field("SMS")], seen), { SMS: "user_metadata.phone" })
    assert.deepStrictEqual(doubts([field("FIRSTNAME")], seen), {
      FIRSTNAME: ["given_name", "no record looked at has it"],
    })
  })
})
