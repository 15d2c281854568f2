/** npm jsforce, signed in: a client of Salesforce that knows nothing of ours. */
import { createRequire } from "node:module"
import type { Connection as JsforceConnection } from "jsforce"
import { credentials } from "../src/index.ts"

/** Its package has no entry that an ES module could import by name. */
const { Connection }: { readonly Connection: typeof JsforceConnection } = createRequire(import.meta.url)("jsforce")

export const jsforce = async (loginUrl: string): Promise<JsforceConnection> => {
  const { consumerKey: clientId, consumerSecret: clientSecret } = credentials
  const connection = new Connection({ loginUrl, version: "66.0", oauth2: { loginUrl, clientId, clientSecret } })
  await connection.authorize({ grant_type: "client_credentials" })
  return connection
}
