/**
 * Idempotency keys. For a day Persona answers a key as it did the first time, failures included, and refuses it with
 * another body: so a request keeps its key while nothing is heard of it, and takes the next one after any answer.
 * https://docs.withpersona.com/idempotence
 */
import type { Batch, Row } from "@sluice/core"

export interface Key {
  /** `body` tells apart what is asked for one row: with another body a key of its own. */
  readonly of: (body: string | number) => string
  /** Persona has answered: whatever is asked next is a new request. */
  readonly answered: () => void
}

export type KeyOf = (batch: Pick<Batch, "id" | "attempt">, row: Pick<Row, "id">) => Key

/**
 * A key names no person: rows have numbers, which they keep over the retries of their batch, however few are left. The
 * engine takes a batch up again only after silence without changing its attempt, so answers are remembered as well.
 */
export const makeKeys = (): KeyOf => {
  let batchId = ""
  let numbers = new Map<string, number>()
  let answers = new Map<string, number>()

  return ({ id, attempt }, row) => {
    if (batchId !== id) {
      batchId = id
      numbers = new Map()
      answers = new Map()
    }
    const heard = answers
    const number = numbers.get(row.id) ?? numbers.size
    numbers.set(row.id, number)
    const count = () => heard.get(row.id) ?? 0
    return {
      of: (body) => [id, attempt, number, body, count()].join("-"),
      answered: () => void heard.set(row.id, count() + 1),
    }
  }
}
