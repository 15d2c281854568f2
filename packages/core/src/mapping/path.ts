/** Plain paths (`user_metadata.company`) read without JSONata, with JSONata's answers. */

export const isList = (value: unknown): value is ReadonlyArray<unknown> => Array.isArray(value)

export const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * Compiles the names of a path to a reader of records. It yields undefined where there is nothing. Only own keys
 * count, so a record's `__proto__` is data like any other and `constructor` is absent unless the record has it.
 * One difference: JSONata does not look into an object whose `_jsonata_function` is true; here that is data too.
 */
export function compilePath(names: ReadonlyArray<string>): (data: unknown) => unknown {
  const mayInherit = names.some(isInherited)
  return (data) => {
    let value = data
    for (let step = 0; step < names.length; step++) {
      if (isList(value)) return inList(value, names, step)
      const name = names[step] ?? ""
      if (!isObject(value) || (mayInherit && !Object.hasOwn(value, name))) return undefined
      value = value[name]
    }
    return value
  }
}

/** Whether JSON may have something by this name that is not its own. To ask each object takes as long as to read it. */
const isInherited = (name: string): boolean => name in Object.prototype

const own = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined

/**
 * The rest of a path from a list on. JSONata maps a step over the items, flattens what they yield by one level
 * and, at the end, yields nothing for no item and the item itself for one; a single list found by the last step
 * is handed out as it is.
 */
function inList(list: ReadonlyArray<unknown>, names: ReadonlyArray<string>, from: number): unknown {
  let items = list
  for (let step = from; step < names.length; step++) {
    const found: Array<unknown> = []
    for (const item of items) {
      const value = isList(item) ? collapse(overItems(item, names[step] ?? "")) : own(item, names[step] ?? "")
      if (value !== undefined) found.push(value)
    }
    if (step === names.length - 1 && found.length === 1 && isList(found[0])) return found[0]
    items = found.flat(1)
  }
  return collapse(items)
}

/** One name looked up in a list of lists: at every depth the answers are joined to one list. */
function overItems(list: ReadonlyArray<unknown>, name: string): Array<unknown> {
  const found: Array<unknown> = []
  for (const item of list) {
    const value = isList(item) ? overItems(item, name) : own(item, name)
    if (isList(value)) for (const each of value) found.push(each)
    else if (value !== undefined) found.push(value)
  }
  return found
}

const collapse = (items: ReadonlyArray<unknown>): unknown => (items.length > 1 ? items : items[0])
