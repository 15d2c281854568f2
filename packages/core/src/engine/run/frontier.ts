/**
 * The frontier: how far a scan is settled. A position may be committed when every page up to it has no open row on
 * any route (rule 1).
 */
import type { Position } from "../../plugin/record.ts"

/** What is kept of a page until the frontier has passed it. Its records are gone by then. */
export interface OpenPage {
  /** Undefined where `--limit` cut the page short: the frontier stops before it. */
  readonly position: Position | undefined
  readonly records: number
  /** The record keys, where deletions are found by absence. */
  readonly keys: ReadonlyArray<string>
  /** Rows not settled yet, over all routes. */
  open: number
}

export interface Passed {
  readonly pages: ReadonlyArray<OpenPage>
  readonly position: Position
}

export interface Frontier {
  readonly add: (page: OpenPage) => void
  /** The pages that could be passed if `settling` rows were settled too. They stay until `pass`. */
  readonly passable: (settling: ReadonlyMap<OpenPage, number>) => Passed | undefined
  readonly pass: (passed: Passed) => void
  /** The scan starts over: no position of a page so far is committed any more. */
  readonly restart: () => void
  /** Records on pages that are not committed, whether they could be or not. */
  readonly uncommitted: () => number
}

export const makeFrontier = (): Frontier => {
  const pages: Array<OpenPage> = []
  const stale = new WeakSet<OpenPage>()
  let records = 0

  const prefix = (settling: ReadonlyMap<OpenPage, number>): Array<OpenPage> => {
    const found: Array<OpenPage> = []
    for (const page of pages) {
      if (page.position === undefined || page.open - (settling.get(page) ?? 0) > 0) break
      found.push(page)
    }
    return found
  }

  return {
    add: (page) => {
      pages.push(page)
      records += page.records
    },
    passable: (settling) => {
      const found = prefix(settling)
      const last = found.at(-1)
      return last?.position === undefined || stale.has(last) ? undefined : { pages: found, position: last.position }
    },
    pass: (passed) => {
      pages.splice(0, passed.pages.length)
      for (const page of passed.pages) records -= page.records
    },
    restart: () => {
      for (const page of pages) stale.add(page)
    },
    uncommitted: () => records,
  }
}
