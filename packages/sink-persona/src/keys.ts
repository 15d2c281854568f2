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

interface Asked {
  readonly number: number
  answers: number
}

/** Batches that are remembered: far more than are ever on their way at once. */
const KEPT = 16

export type KeyOf = (batch: Pick<Batch, "id" | "attempt">, row: Pick<Row, "id">) => Key

/**
 * A key names no person: rows have numbers, which they keep over the retries of their batch, however few are left. The
 * engine takes a batch up again only after silence without changing its attempt, so answers are remembered as well.
 */
export const makeKeys = (): KeyOf => {
  const batches = new Map<string, Map<string, Asked>>()

  const rowsOf = (batchId: string): Map<string, Asked> => {
    const rows = batches.get(batchId) ?? new Map()
    batches.set(batchId, rows)
    const [oldest] = batches.keys()
    if (batches.size > KEPT && oldest !== undefined) batches.delete(oldest)
    return rows
  }

  return ({ id, attempt }, row) => {
    const rows = rowsOf(id)
    const asked = rows.get(row.id) ?? { number: rows.size, answers: 0 }
    rows.set(row.id, asked)
    return {
      of: (body) => [id, attempt, asked.number, body, asked.answers].join("-"),
      answered: () => {
        asked.answers += 1
      },
    }
  }
}
