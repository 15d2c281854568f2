/** Record ids: three letters for the object, twelve for the record, and three that say which of those are capitals. */

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
const suffixes = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

/** Where this org lives; part of every id. */
const pod = "5g0"

const suffixOf = (id: string): string => {
  let suffix = ""
  for (let block = 0; block < 15; block += 5) {
    let bits = 0
    for (let place = 0; place < 5; place++) {
      const code = id.charCodeAt(block + place)
      if (code >= 65 && code <= 90) bits |= 1 << place
    }
    suffix += suffixes.charAt(bits)
  }
  return suffix
}

const numeral = (number: number): string => {
  let rest = number
  let text = ""
  for (let place = 0; place < 9; place++) {
    text = digits.charAt(rest % 62) + text
    rest = Math.floor(rest / 62)
  }
  return text
}

/** The id of an object's record with this number, from 0 on, with 18 letters. */
export const idOf = (prefix: string, number: number): string => {
  const id = `${prefix}${pod}${numeral(number + 1)}`
  return id + suffixOf(id)
}

export interface ParsedId {
  readonly prefix: string
  /** `undefined`: well formed, but of no record of this org. */
  readonly number: number | undefined
}

/** Takes 15 letters or 18; `undefined`: not an id at all. */
export const parseId = (id: string): ParsedId | undefined => {
  if (!/^[a-zA-Z0-9]{15}([A-Z0-5]{3})?$/.test(id)) return undefined
  const short = id.slice(0, 15)
  if (id.length === 18 && id.slice(15) !== suffixOf(short)) return undefined
  const prefix = short.slice(0, 3)
  if (short.slice(3, 6) !== pod) return { prefix, number: undefined }
  let number = 0
  for (const letter of short.slice(6)) number = number * 62 + digits.indexOf(letter)
  return { prefix, number: number === 0 ? undefined : number - 1 }
}
