/** Record ids: with 15 characters case tells them apart, with 18 it need not. Compared with 18. */

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"

/** Three characters that say which of the others are capitals. */
const suffixOf = (id: string): string =>
  [0, 5, 10]
    .map((start) => {
      let bits = 0
      for (let at = 0; at < 5; at++) if (/[A-Z]/.test(id.charAt(start + at))) bits |= 1 << at
      return LETTERS.charAt(bits)
    })
    .join("")

export const isId = (text: string): boolean => /^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$/.test(text)

export const id18 = (id: string): string => (id.length === 15 ? `${id}${suffixOf(id)}` : id)

/** The first three characters name the object. */
export const prefixOf = (id: string): string => id.slice(0, 3)
