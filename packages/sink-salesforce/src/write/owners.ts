/** Gives a row the owner of the record it points to: a task about a person goes to whom the person belongs to. */
import type { Row, SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { Column, Parent } from "../describe/columns.ts"
import { keyingOf } from "../describe/keying.ts"
import { prefixOf } from "../ids.ts"
import { type Search, textIn } from "../match/search.ts"
import { selects } from "../match/soql.ts"

/** A queue can own a Lead, and no Task. */
const isUser = (owner: string | undefined): owner is string => owner !== undefined && prefixOf(owner) === "005"

export interface OwnerSource {
  readonly name: string
  readonly parent: Parent
}

/** The mapped field that names the record, if it is one that does. */
export const ownerSource = (columns: ReadonlyArray<Column>, name: string | undefined): OwnerSource | undefined => {
  const parent = columns.find((column) => column.name === name)?.parent
  return parent === undefined || name === undefined ? undefined : { name, parent }
}

/** Rows whose parent is not there, or belongs to a queue, stay as they are: Salesforce gives them the user of the run. */
export const makeOwners = (search: Search, { name, parent }: OwnerSource) =>
  Effect.fnUntraced(function* (rows: ReadonlyArray<Row>): Effect.fn.Return<ReadonlyArray<Row>, SinkError> {
    const { by, object } = parent
    const { folded, isNumber } = keyingOf(parent.key)
    const keyOf = ({ fields }: Row) => textIn(fields, name)
    const question = { object, fields: ["Id", "OwnerId", by], by, isNumber }
    const owners = new Map<string, string>()
    for (const record of yield* search(
      selects(
        question,
        rows.flatMap((row) => keyOf(row) ?? []),
      ),
    )) {
      const owner = textIn(record, "OwnerId")
      if (isUser(owner)) owners.set(folded(textIn(record, by) ?? ""), owner)
    }
    return rows.map((row) => {
      const OwnerId = owners.get(folded(keyOf(row) ?? ""))
      return OwnerId === undefined ? row : { ...row, fields: { ...row.fields, OwnerId } }
    })
  })
