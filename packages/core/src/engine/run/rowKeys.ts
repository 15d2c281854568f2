/** Which record has which row key while its rows are under way (rule 7). */
import type { Entry } from "./entry.ts"

/** Most records stand under their id, and are found by it in `ways`: only other keys are noted. */
export const makeRowKeys = (ways: ReadonlyMap<string, Entry>) => {
  const strays = new Map<string, Entry>()

  const isOthers = (id: string, key: string | undefined): boolean => {
    if (key === undefined) return false
    const stray = strays.get(key)
    if (stray !== undefined || key === id) return stray !== undefined && stray.id !== id
    const held = ways.get(key)
    return held !== undefined && (held.key === key || held.formerKey === key)
  }

  const own = (entry: Entry): void => {
    for (const key of strayKeys(entry)) strays.set(key, entry)
  }

  const disown = (entry: Entry): void => {
    for (const key of strayKeys(entry)) strays.delete(key)
  }

  return { isOthers, own, disown }
}

const none: ReadonlyArray<never> = []

const strayKeys = ({ id, key = id, formerKey = id }: Entry): ReadonlyArray<string> =>
  key === id && formerKey === id ? none : [key, formerKey].filter((each) => each !== id)
