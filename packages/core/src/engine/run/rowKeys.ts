/** Which record has which row key while its rows are under way (rule 7). */

export const makeRowKeys = () => {
  /** Row key to the id that holds it. */
  const owners = new Map<string, string>()
  /** The other way round: the row keys an id holds, most often one. */
  const owned = new Map<string, Array<string>>()

  const isOthers = (id: string, key: string | undefined): boolean => key !== undefined && (owners.get(key) ?? id) !== id

  const own = (id: string, key: string | undefined): void => {
    if (key === undefined) return
    owners.set(key, id)
    const keys = owned.get(id)
    if (keys === undefined) owned.set(id, [key])
    else if (!keys.includes(key)) keys.push(key)
  }

  const disown = (id: string): void => {
    for (const key of owned.get(id) ?? []) owners.delete(key)
    owned.delete(id)
  }

  return { isOthers, own, disown }
}
