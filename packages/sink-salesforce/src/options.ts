/** The options of a route to an object: any object, by its API name. */
import { describe } from "@sluice/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export const ObjectOptions = Schema.Struct({
  mode: Schema.Literals(["upsert", "update"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("upsert" as const)),
    describe(
      "upsert: a row whose key no record has makes one. update: it makes none; required fields need not be mapped then, and the key may be Id.",
    ),
  ),
  missing: Schema.Literals(["reject", "ignore"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("reject" as const)),
    describe(
      "With mode: update, what to do about a row whose key no record has. reject: a dead letter. ignore: there is nothing to do.",
    ),
  ),
  missing_parent: Schema.Literals(["wait", "ignore"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("wait" as const)),
    describe(
      "What to do about a row that points to a record by a key nothing has. wait: it is sent again, and by the next runs, until that is there. ignore: there is nothing to do.",
    ),
  ),
  owner_from: Schema.optionalKey(Schema.NonEmptyString).pipe(
    describe(
      "A mapped field that names another record, such as `Contact:Who.Auth0_Id__c`: a row gets that record's owner. A query more for each 200 rows, and no bulk.",
    ),
  ),
  match: Schema.optionalKey(Schema.Array(Schema.NonEmptyString)).pipe(
    describe(
      "Mapped fields by which a record is looked for before the first write of a row would make one, in this order. One that is found, and belongs to no other key, is adopted: it gets the row's key. Several are a dead letter that names them. Lead and Contact: `[Email]` without it, `[Email, Phone]` to try numbers as well, `[]` for none; Contacts are looked at before Leads, and a converted Lead leads to its Contact.",
    ),
  ),
  duplicates: Schema.Literals(["reject", "adopt", "allow"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("reject" as const)),
    describe(
      "What to do where one of the organization's duplicate rules objects. reject: a dead letter that names the records it found. adopt: the one it found is updated. allow: saved all the same, where the rule lets one (Alert, not Block).",
    ),
  ),
  assignment_rule: Schema.optionalKey(
    Schema.String.check(Schema.isPattern(/^(default|01Q[A-Za-z0-9]{12,15})$/, { expected: "default or a rule's id" })),
  ).pipe(
    describe(
      "Lets an assignment rule set the owner, of changed records too: `default`, or the id of a rule (01Q…). Without it none fires: Salesforce's own default would give records new owners in every run.",
    ),
  ),
  path: Schema.Literals(["auto", "collections", "composite", "bulk"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("auto" as const)),
    describe(
      "How rows are written. collections: 200 a call. composite: 1,000 a call, which takes five times as long. bulk: jobs of Bulk API 2.0, some ten calls for up to 100,000 rows, and minutes. auto: bulk for more than 2,000 changed rows; else collections, or composite where less than half of the day's calls is left.",
    ),
  ),
  loose_key: Schema.Boolean.pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(false)),
    describe(
      "Takes a key field that is not unique, or that takes ABC and abc for one. Auth0 ids may differ by case alone: then the first of two users has the record, and the other is a dead letter. That takes a query for each 200 new rows.",
    ),
  ),
  bulk_wait_minutes: Schema.Int.check(Schema.isGreaterThan(0)).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(240)),
    describe("How long a run waits for a bulk job. After that it stops, and the next one goes on waiting."),
  ),
})
export type ObjectOptions = typeof ObjectOptions.Type
