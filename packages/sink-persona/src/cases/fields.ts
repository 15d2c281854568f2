/** The columns of a case. */
import type { Field } from "@sluice/core"

export const caseFields: ReadonlyArray<Field> = [
  { name: "case_key", type: "text", max: 255, required: true, writable: true, key: true },
  { name: "account_reference_id", type: "text", max: 255, writable: true },
]
