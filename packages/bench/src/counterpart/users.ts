/** Users of about 1.55 KB as Auth0 sends them, as JSON text: the server writes them and never makes an object of one. */

/** In the order they are read: growing ids, or ids without any order. */
export type Keys = "ordered" | "random"

const mixed = (seed: number, index: number): string => {
  let hash = Math.imul(index + 1, 0x9e3779b1) ^ seed
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0).toString(16).padStart(8, "0")
}

/** 24 hexadecimal digits, as those of a database user. */
const bareId = (index: number, keys: Keys): string =>
  keys === "ordered"
    ? index.toString(16).padStart(24, "0")
    : `${mixed(1, index)}${mixed(2, index)}${index.toString(16).padStart(8, "0")}`

const start = Date.UTC(2024, 0, 1)
const minute = 60_000

/** What real users carry and the mapping does not read: it makes the 1.55 KB, and JSON.parse has to go through it. */
const ballast = JSON.stringify({
  preferences: { newsletter: true, theme: "dark", topics: ["identity", "security", "product", "events"] },
  address: { street: "1 Example Street", city: "Springfield", postal_code: "12345", country: "US" },
  onboarding: Array.from({ length: 10 }, (_, step) => ({ step, done: step < 7, at: "2024-05-06T07:08:09.000Z" })),
}).slice(1)

export const userText = (index: number, keys: Keys): string => {
  const id = bareId(index, keys)
  const created = new Date(start + index * minute).toISOString()
  const email = `ada.lovelace${index}@example.com`
  return (
    `{"created_at":"${created}","email":"${email}","email_verified":${index % 4 !== 0},"family_name":"Lovelace",` +
    `"given_name":"Ada","identities":[{"connection":"Username-Password-Authentication","user_id":"${id}",` +
    `"provider":"auth0","isSocial":false}],"name":"Ada Lovelace","nickname":"ada.lovelace${index}",` +
    `"picture":"https://cdn.example.com/avatar/${mixed(3, index)}.png","updated_at":"${created}",` +
    `"user_id":"auth0|${id}","last_ip":"203.0.113.7","last_login":"${created}","logins_count":${index % 400},` +
    `"app_metadata":{"plan":"pro","role":"member","org":{"id":"org_${mixed(4, index)}","tier":"gold"}},` +
    `"user_metadata":{"company":"Example Company ${index % 1000}","phone":"+15550000000",${ballast}}`
  )
}
