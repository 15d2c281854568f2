/** "Did you mean": the nearest of the names that exist. */

/** The candidate that is at most a third of the name away, or undefined. Case and separators cost nothing. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > 100) return undefined
  const plain = (text: string) => text.toLowerCase().replace(/[-_\s]/g, "")
  const limit = Math.max(1, Math.floor(name.length / 3))
  let best: { readonly candidate: string; readonly distance: number } | undefined
  for (const candidate of candidates) {
    const distance = editDistance(plain(name), plain(candidate))
    if (candidate !== name && distance <= limit && distance < (best?.distance ?? Infinity))
      best = { candidate, distance }
  }
  return best?.candidate
}

/** How many letters to add, remove, replace or swap with their neighbour. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)]
  const at = (row: number, column: number) => rows[row]?.[column] ?? 0
  for (let row = 1; row <= a.length; row++) {
    rows.push([row])
    for (let column = 1; column <= b.length; column++) {
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      const replaced = at(row - 1, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1)
      const best = Math.min(replaced, at(row - 1, column) + 1, at(row, column - 1) + 1)
      rows[row]?.push(swapped ? Math.min(best, at(row - 2, column - 2) + 1) : best)
    }
  }
  return at(a.length, b.length)
}
