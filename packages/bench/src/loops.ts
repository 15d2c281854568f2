/** What Sluice is measured against: a loop written by hand for speed, and the loop that is usually written. */
import { Agent, request } from "undici"

/** Users the bench source serves. Declared, not decoded: this loop trusts the other side. */
interface User {
  readonly user_id: string
  readonly email: string
  readonly given_name: string
  readonly family_name: string
  readonly nickname: string
  readonly picture: string
  readonly email_verified: boolean
  readonly logins_count: number
  readonly last_login: string
  readonly created_at: string
  readonly user_metadata: { readonly company: string }
  readonly app_metadata: { readonly plan: string }
}

interface Found {
  readonly users: ReadonlyArray<User>
}

/** The 12 fields of pipeline.yaml. */
const rowOf = (user: User) => ({
  ext_id: user.user_id,
  email: user.email,
  FIRSTNAME: user.given_name,
  LASTNAME: user.family_name,
  NICKNAME: user.nickname,
  AVATAR_URL: user.picture,
  EMAIL_VERIFIED: user.email_verified,
  LOGIN_COUNT: user.logins_count,
  LAST_LOGIN_DATE: user.last_login.slice(0, 10),
  SIGNUP_DATE: user.created_at.slice(0, 10),
  COMPANY: user.user_metadata.company,
  SUBSCRIPTION_PLAN: user.app_metadata.plan,
})
export type BenchRow = ReturnType<typeof rowOf>

const PAGE = 100
const agent = new Agent({ pipelining: 1 })
const headers = { "content-type": "application/json" }

const found = async (origin: string, after: number): Promise<Found> => {
  const { body } = await request(`${origin}/users?after=${after}&size=${PAGE}`, { dispatcher: agent })
  const parsed: Found = JSON.parse(await body.text())
  return parsed
}

const post = async (origin: string, rows: ReadonlyArray<BenchRow>): Promise<void> => {
  const { body } = await request(`${origin}/rows`, {
    method: "POST",
    headers,
    body: JSON.stringify(rows),
    dispatcher: agent,
  })
  await body.dump()
}

/** Pages, mapping, batches. */
export const raw = async (origin: string, users: number, batch: number): Promise<void> => {
  let rows: Array<BenchRow> = []
  for (let after = 0; after < users; after += PAGE) {
    for (const user of (await found(origin, after)).users) rows.push(rowOf(user))
    if (rows.length >= batch || after + PAGE >= users) {
      await post(origin, rows)
      rows = []
    }
  }
}

/** The reading alone. */
export const pull = async (origin: string, users: number): Promise<void> => {
  for (let after = 0; after < users; after += PAGE) await found(origin, after)
}

/** The writing alone. */
export const push = async (origin: string, users: number, batch: number): Promise<void> => {
  const rows = (await found(origin, 0)).users.map(rowOf)
  const full = Array.from({ length: Math.ceil(batch / rows.length) }, () => rows)
    .flat()
    .slice(0, batch)
  for (let sent = 0; sent < users; sent += batch) await post(origin, full)
}

/** A page, then a call for each user in it. */
export const usual = async (origin: string, users: number): Promise<void> => {
  for (let after = 0; after < users; after += PAGE) {
    const answer = await fetch(`${origin}/users?after=${after}&size=${PAGE}`)
    const page: Found = JSON.parse(await answer.text())
    for (const user of page.users) {
      const sent = await fetch(`${origin}/row`, { method: "POST", headers, body: JSON.stringify(rowOf(user)) })
      await sent.text()
    }
  }
}
