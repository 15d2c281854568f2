/** The position automaton of a regular expression, and what its loops say about backtracking. */
import { type Chars, intersection, overlap, type Part, union } from "./patternSyntax.ts"

/** Too many states or too much work to judge; the pattern is refused. */
export class TooLarge {}

interface Fragment {
  /** In how many ways it matches the empty text; 2 stands for "several". */
  readonly empty: 0 | 1 | 2
  readonly first: ReadonlyArray<number>
  readonly last: ReadonlyArray<number>
}

const nothing: Fragment = { empty: 1, first: [], last: [] }
const maxStates = 400
const maxWork = 4_000_000
/** A bounded repetition of at most so many optional copies is unrolled; a longer one counts as endless. */
const maxUnrolled = 3
/** Optional copies can be there or not: so many of them in a row are 2^24 ways at most. */
const maxOptional = 24

export class Automaton {
  private readonly chars: Array<Chars> = []
  /** `next[a].get(b)`: in how many ways b follows a. */
  private readonly next: Array<Map<number, number>> = []
  private exponential = false
  private checks = false
  private readonly final: ReadonlySet<number>
  private work = 0
  private optional = 0

  constructor(root: Part, anchored: boolean) {
    const start = this.state([])
    const fragment = this.build(root)
    for (const state of fragment.first) this.edge(start, state)
    if (!anchored) {
      this.chars[start] = [[0, 0xffff]]
      this.edge(start, start)
    }
    this.final = new Set(fragment.last)
  }

  /** Whether some state is left and reached again by one text in two ways. */
  isExponential(): boolean {
    return this.exponential || this.components().some((component) => this.isAmbiguous(component))
  }

  /** The longest chain of loops that one text can run through; the time is at most the length to this power. */
  degree(): number {
    const components = this.components()
    const reach = components.map((from, index) =>
      components.flatMap((to, other) => (other !== index && this.shares(from, to) ? [other] : [])),
    )
    const lengths = new Map<number, number>()
    const longest = (index: number): number => {
      const known = lengths.get(index)
      if (known !== undefined) return known
      lengths.set(index, 0)
      const self = this.cannotFail(components[index] ?? []) ? 0 : 1
      const length = self + Math.max(0, ...(reach[index] ?? []).map(longest))
      lengths.set(index, length)
      return length
    }
    return Math.max(0, ...components.map((_, index) => longest(index)))
  }

  /** A loop that ends the pattern accepts whatever it has: nothing after it can send it back. */
  private cannotFail(component: ReadonlyArray<number>): boolean {
    return !this.checks && component.every((state) => this.final.has(state))
  }

  private build(part: Part): Fragment {
    switch (part._tag) {
      case "Chars": {
        const state = this.state(part.chars)
        return { empty: 0, first: [state], last: [state] }
      }
      case "Empty":
        if (part.check) this.checks = true
        return nothing
      case "Sequence":
        return part.parts.reduce<Fragment>((before, each) => this.join(before, this.build(each)), nothing)
      case "Choice":
        return part.parts.map((each) => this.build(each)).reduce(either)
      case "Repeat":
        return this.repeat(part.part, part.min, part.max)
    }
  }

  private repeat(part: Part, min: number, max: number): Fragment {
    let made = nothing
    const optional = max - min
    // Many copies of a part that is empty, or matches one text, in several ways: 2^copies ways, without any loop.
    if (min > maxUnrolled && matchesEmpty(part)) this.exponential = true
    if (max > maxUnrolled && Number.isFinite(max)) this.exponential ||= isAmbiguousRepeated(part)
    for (let copy = 0; copy < min; copy++) made = this.join(made, this.build(part))
    if (optional > maxUnrolled) return this.join(made, this.loop(part))
    for (let copy = 0; copy < optional; copy++) {
      if (++this.optional > maxOptional) throw new TooLarge()
      made = this.join(made, { ...this.build(part), empty: 1 })
    }
    return made
  }

  /** Endless repetition. A body that is empty in several ways can be empty in 2^n ways over n rounds. */
  private loop(part: Part): Fragment {
    const body = this.build(part)
    if (body.empty === 2 || ambiguouslyEmpty(part)) this.exponential = true
    this.follow(body.last, body.first)
    return { ...body, empty: 1 }
  }

  private join(a: Fragment, b: Fragment): Fragment {
    this.follow(a.last, b.first)
    return {
      empty: a.empty === 0 || b.empty === 0 ? 0 : a.empty === 2 || b.empty === 2 ? 2 : 1,
      first: a.empty > 0 ? [...a.first, ...b.first] : a.first,
      last: b.empty > 0 ? [...a.last, ...b.last] : b.last,
    }
  }

  private follow(from: ReadonlyArray<number>, to: ReadonlyArray<number>): void {
    for (const a of from) for (const b of to) this.edge(a, b)
  }

  private state(chars: Chars): number {
    if (this.chars.length >= maxStates) throw new TooLarge()
    this.next.push(new Map())
    return this.chars.push(chars) - 1
  }

  private edge(from: number, to: number): void {
    this.count()
    const edges = this.next[from]
    edges?.set(to, (edges.get(to) ?? 0) + 1)
  }

  private count(): void {
    if (++this.work > maxWork) throw new TooLarge()
  }

  /** The sets of states that reach one another: the loops. */
  private components(): ReadonlyArray<ReadonlyArray<number>> {
    const reached = this.chars.map((_, state) => this.reachable(state, () => true))
    const seen = new Set<number>()
    return this.chars.flatMap((_, state) => {
      if (seen.has(state) || reached[state]?.has(state) !== true) return []
      const component = [...reached[state]].filter((other) => reached[other]?.has(state) === true)
      for (const each of component) seen.add(each)
      return [component]
    })
  }

  private reachable(from: number, passes: (state: number) => boolean): ReadonlySet<number> {
    const found = new Set<number>()
    const open = [from]
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      for (const next of this.next[state]?.keys() ?? []) {
        this.count()
        if (found.has(next) || !passes(next)) continue
        found.add(next)
        open.push(next)
      }
    }
    return found
  }

  /** One loop leads to another over characters of both. */
  private shares(from: ReadonlyArray<number>, to: ReadonlyArray<number>): boolean {
    const charsOf = (states: ReadonlyArray<number>) => union(states.map((state) => this.chars[state] ?? []))
    const both = intersection(charsOf(from), charsOf(to))
    if (both.length === 0) return false
    const targets = new Set(to)
    const passes = (state: number) => overlap(this.chars[state] ?? [], both)
    return from.some((state) => [...this.reachable(state, passes)].some((each) => targets.has(each)))
  }

  /** Two walks over one text, both from a state back to itself, that differ on the way. */
  private isAmbiguous(component: ReadonlyArray<number>): boolean {
    const inside = new Set(component)
    const before = this.inverted(inside)
    const after = (state: number) => [...(this.next[state] ?? [])].filter(([other]) => inside.has(other))
    if (component.some((state) => after(state).some(([, ways]) => ways > 1))) return true
    const [start] = component
    if (start === undefined) return false
    const forth = this.pairs(start, (state) => after(state).map(([other]) => other))
    const back = this.pairs(start, (state) => before.get(state) ?? [])
    return [...forth].some((pair) => back.has(pair) && Math.floor(pair / maxStates) !== pair % maxStates)
  }

  private inverted(inside: ReadonlySet<number>): ReadonlyMap<number, ReadonlyArray<number>> {
    const before = new Map<number, Array<number>>()
    for (const state of inside) {
      for (const other of this.next[state]?.keys() ?? []) {
        if (inside.has(other)) before.set(other, [...(before.get(other) ?? []), state])
      }
    }
    return before
  }

  /** The pairs of states that two walks over one text are in, from `start` on; both have read the same so far. */
  private pairs(start: number, step: (state: number) => ReadonlyArray<number>): ReadonlySet<number> {
    const found = new Set<number>([start * maxStates + start])
    const open = [...found]
    for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
      for (const a of step(Math.floor(pair / maxStates))) {
        for (const b of step(pair % maxStates)) {
          this.count()
          const next = a * maxStates + b
          if (found.has(next) || !overlap(this.chars[a] ?? [], this.chars[b] ?? [])) continue
          found.add(next)
          open.push(next)
        }
      }
    }
    return found
  }
}

const either = (a: Fragment, b: Fragment): Fragment => ({
  empty: a.empty > 0 && b.empty > 0 ? 2 : a.empty === 0 ? b.empty : a.empty,
  first: [...a.first, ...b.first],
  last: [...a.last, ...b.last],
})

const isAmbiguousRepeated = (part: Part): boolean =>
  new Automaton({ _tag: "Repeat", part, min: 1, max: Number.POSITIVE_INFINITY }, true).isExponential()

function matchesEmpty(part: Part): boolean {
  switch (part._tag) {
    case "Chars":
      return false
    case "Empty":
      return true
    case "Sequence":
      return part.parts.every(matchesEmpty)
    case "Choice":
      return part.parts.some(matchesEmpty)
    case "Repeat":
      return part.min === 0 || matchesEmpty(part.part)
  }
}

/** Somewhere in it a choice can be empty in more than one way. */
function ambiguouslyEmpty(part: Part): boolean {
  if (part._tag === "Repeat") return ambiguouslyEmpty(part.part)
  if (part._tag === "Choice" && part.parts.filter(matchesEmpty).length > 1) return true
  return (part._tag === "Sequence" || part._tag === "Choice") && part.parts.some(ambiguouslyEmpty)
}
