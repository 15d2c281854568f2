/** What a test file needs of the Postgres server: URLs, each of a state that nobody else uses. */
import { randomBytes } from "node:crypto"
import { inject } from "vitest"
import type { PostgresServer } from "./server.ts"

type Address = Omit<PostgresServer, "stop">

/** The project of vitest whose tests keep their state in Postgres. */
export const onPostgres = process.env.SLUICE_TEST_STATE === "postgres"

let address: Promise<Address> | undefined

const ask = async (): Promise<Address> => {
  const response = await fetch(inject("postgresDesk"))
  if (!response.ok) throw new Error(`no Postgres server: ${await response.text()}`)
  const answer: Address = JSON.parse(await response.text())
  return answer
}

/** Starts the server if no test has done so. */
export const postgres = (): Promise<Address> => {
  address ??= ask()
  return address
}

/** A state that is not there yet, with the password in the URL; `through`: by way of another port. */
export const newPostgresState = async (through?: number): Promise<string> => {
  const { port, user, password } = await postgres()
  const schema = `test_${randomBytes(6).toString("hex")}`
  return `postgres://${user}:${password}@127.0.0.1:${through ?? port}/postgres?schema=${schema}`
}

export const schemaOf = (url: string): string => new URL(url).searchParams.get("schema") ?? ""
