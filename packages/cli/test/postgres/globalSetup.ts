/** One Postgres server for all test files, started when the first of them asks for it and stopped at the end. */
import { once } from "node:events"
import { createServer } from "node:http"
import type { TestProject } from "vitest/node"
import { type PostgresServer, startPostgres } from "./server.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** Where a test file asks: it answers with the server's address as JSON. */
    readonly postgresDesk: string
  }
}

export default async (project: TestProject): Promise<() => Promise<void>> => {
  let started: Promise<PostgresServer> | undefined
  const desk = createServer(async (_, response) => {
    started ??= startPostgres()
    try {
      const { stop, ...address } = await started
      response.end(JSON.stringify(address))
    } catch (cause) {
      response.writeHead(500).end(String(cause))
    }
  })
  desk.listen(0, "127.0.0.1")
  await once(desk, "listening")
  const address = desk.address()
  project.provide("postgresDesk", `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`)
  return async () => {
    desk.close()
    await started?.then(({ stop }) => stop())
  }
}
