/** What the engine asks of the users stream, and the fields that come of it. */
import type { ScanRequest } from "@sluice/core"
import type { UserOptions } from "./options.ts"

export type UsersRequest = ScanRequest<UserOptions>

/** What every record needs: its key, its version, and the time scans go by. */
const own = ["user_id", "created_at", "updated_at"]

/** The root fields to ask for; undefined for all. */
export const fieldsOf = ({ fields, purpose }: UsersRequest): ReadonlyArray<string> | undefined => {
  if (purpose === "keys") return own
  return fields === "all" ? undefined : [...new Set([...own, ...fields])]
}
