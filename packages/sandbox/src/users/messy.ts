/** What real tenants hold and a mapping must survive: the users that `messy` adds. */

import { isObject } from "../exchange.ts"
import { mix } from "../random.ts"

/** What is odd about a user: a kind that changes how it is made, or fields that replace the plain ones. */
export type Mess = "phone-only" | "shared-email" | { readonly changes: { readonly [key: string]: unknown } }

/** Parsed, so that `__proto__` is a key like any other, as it is in an answer. */
const hostile = JSON.parse('{"__proto__":{"plan":"admin"},"constructor":"x","company":"Proto & Co"}')

const kinds: ReadonlyArray<Mess> = [
  "phone-only",
  "shared-email",
  { changes: { user_metadata: { phone: "12345", company: "Bad Phone Ltd" } } },
  { changes: { user_metadata: { phone: "call me maybe" } } },
  { changes: { user_metadata: { phone: 15550000000 } } },
  // Two users with one valid number.
  { changes: { user_metadata: { phone: "+15559999999" } } },
  { changes: { given_name: "👩‍👩‍👧 Zöe\u0301", family_name: "بن‌علي", name: "line\nbreak\u0007" } },
  { changes: { given_name: "   ", family_name: "", nickname: "\u202Egnp.exe" } },
  { changes: { user_metadata: { company: "x".repeat(400) } } },
  { changes: { user_metadata: { company: { name: "An object" } }, app_metadata: { role: ["admin", "editor"] } } },
  { changes: { user_metadata: { company: null, phone: null }, app_metadata: {} } },
  { changes: { user_metadata: {}, app_metadata: { plan: 3 } } },
  { changes: { email_verified: "true", logins_count: "7" } },
  { changes: { user_metadata: isObject(hostile) ? hostile : {} } },
]

/** One user in nine is messy; none of the first eight, which previews show. */
export const makeMess =
  (messy: boolean, seed: number) =>
  (index: number): Mess | undefined => {
    if (!messy || index < 9) return undefined
    // Every ninth, so that the neighbour whose e-mail is shared is a plain user.
    if ((index + (seed % 9)) % 9 !== 0) return undefined
    return kinds[mix(seed + 41, index) % kinds.length]
  }
