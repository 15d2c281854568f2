/** Which entry holds an id or a row key (rule 7). */
import type { Entry } from "./entry.ts"

/**
 * What is on its way holds its id, its key and the key it was delivered under. Most records stand under their id, and
 * are found by it: only other keys are noted.
 */
export const makeHolders = () => {
  const byId = new Map<string, Entry>()
  const strays = new Map<string, Entry>()

  const noteStrays = (entry: Entry): void => {
    for (const key of strayKeys(entry)) strays.set(key, entry)
  }

  const dropStrays = (entry: Entry): void => {
    for (const key of strayKeys(entry)) strays.delete(key)
  }

  return {
    get: (id: string): Entry | undefined => byId.get(id),
    size: () => byId.size,
    all: () => byId.values(),
    /** Another record than this one has the key. */
    isOthers: (id: string, key: string | undefined): boolean => {
      if (key === undefined) return false
      const stray = strays.get(key)
      if (stray !== undefined || key === id) return stray !== undefined && stray.id !== id
      const held = byId.get(key)
      return held !== undefined && (held.key === key || held.formerKey === key)
    },
    add: (entry: Entry): void => {
      byId.set(entry.id, entry)
      noteStrays(entry)
    },
    /** It holds another key than before as the one it was delivered under. */
    swapFormerKey: (entry: Entry, formerKey: string | undefined): void => {
      dropStrays(entry)
      entry.formerKey = formerKey
      noteStrays(entry)
    },
    /** Its id and keys are free. */
    remove: (entry: Entry): void => {
      entry.place = "outside"
      byId.delete(entry.id)
      dropStrays(entry)
    },
  }
}

export type Holders = ReturnType<typeof makeHolders>

const none: ReadonlyArray<never> = []

const strayKeys = ({ id, key = id, formerKey = id }: Entry): ReadonlyArray<string> =>
  key === id && formerKey === id ? none : [key, formerKey].filter((each) => each !== id)
