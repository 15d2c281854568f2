/** Which record has which row key while its rows are under way (rule 7). */
import type { Entry } from "./entry.ts"

export const makeRowKeys = () => {
  const owners = new Map<string, Entry>()

  const isOthers = (id: string, key: string | undefined): boolean => {
    const owner = key === undefined ? undefined : owners.get(key)
    return owner !== undefined && owner.id !== id
  }

  const own = (entry: Entry): void => {
    if (entry.key !== undefined) owners.set(entry.key, entry)
    if (entry.formerKey !== undefined) owners.set(entry.formerKey, entry)
  }

  const disown = (entry: Entry): void => {
    if (entry.key !== undefined) owners.delete(entry.key)
    if (entry.formerKey !== undefined) owners.delete(entry.formerKey)
  }

  return { isOthers, own, disown }
}
