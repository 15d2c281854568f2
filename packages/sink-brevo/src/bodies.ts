/** Puts the rows of an import into bodies that Brevo takes: one set of lists each, and below its size. */
import type { Piece } from "./importRow.ts"

/** Brevo names 8 MB as safe; 10 are refused. */
export const LARGEST_BODY = 8_000_000

export interface ImportBody {
  readonly text: string
  readonly rows: number
}

/**
 * Rows may differ in what they have, so no import ever empties attributes: it would erase what a row merely lacks.
 * Without `disableNotification` Brevo mails the account's owner for each.
 */
const ending = ({ lists, exists }: Piece): string => {
  const options = {
    listIds: lists,
    updateExistingContacts: exists,
    emptyContactsAttributes: false,
    disableNotification: true,
  }
  return `],${JSON.stringify(options).slice(1)}`
}
const BEGINNING = '{"jsonBody":['

const bytesOf = (text: string): number => new TextEncoder().encode(text).byteLength

interface Open {
  readonly ending: string
  readonly pieces: Array<string>
  bytes: number
}

const closed = ({ pieces, ending }: Open): ImportBody => ({
  text: `${BEGINNING}${pieces.join(",")}${ending}`,
  rows: pieces.length,
})

/** A row that is too large for any body is left out. */
export const bodiesOf = (pieces: Iterable<Piece>, largest = LARGEST_BODY): ReadonlyArray<ImportBody> => {
  const bodies: Array<ImportBody> = []
  const open = new Map<string, Open>()
  for (const piece of pieces) {
    const end = ending(piece)
    const envelope = BEGINNING.length + end.length
    const size = bytesOf(piece.json) + 1
    if (envelope + size > largest) continue
    const found = open.get(end)
    const full = found !== undefined && found.bytes + size > largest
    if (full) bodies.push(closed(found))
    const current = found === undefined || full ? { ending: end, pieces: [], bytes: envelope } : found
    current.pieces.push(piece.json)
    current.bytes += size
    open.set(end, current)
  }
  return [...bodies, ...[...open.values()].map(closed)]
}

/** One look at the processes shows fifty of them, other tools' included; looks are few. */
const MOST = 40

/** Many sets of lists make many imports: the rows of small ones are as soon written by themselves. */
export const fullest = (bodies: ReadonlyArray<ImportBody>): ReadonlyArray<ImportBody> =>
  bodies.length <= MOST ? bodies : bodies.toSorted((a, b) => b.rows - a.rows).slice(0, MOST)
