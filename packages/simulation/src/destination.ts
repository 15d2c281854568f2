/** What a destination went through, whoever wrote there: the oracles look here and never at the engine. */
import type { Machine } from "./machine.ts"
import type { Person } from "./people.ts"

export interface DestinationOptions {
  readonly machine: Machine
  readonly route: string
  /** The content that a state of a user maps to; undefined: `where` excludes it. */
  readonly content: (person: Person) => string | undefined
  /** The destination refuses this content. */
  readonly refuses: (person: Person) => boolean
  readonly versions: (id: string) => ReadonlyArray<Person>
  /** The deletion of a user that is there. */
  readonly mayDelete: (id: string) => boolean
  readonly repeatable: boolean
  /**
   * The row key can change. A first write without an answer and then another key leave an object that nobody can find
   * again, the one duplicate that is not prevented.
   */
  readonly keyMoves: boolean
  /** Records of dead letters are not kept and cannot be found at the source. */
  readonly forgetsDeferred: boolean
}

/** What is known of one record at a destination. */
interface Track {
  content: string | undefined
  /** What was last tried and may have been done; undefined: a deletion. */
  attempt: string | undefined
  /** The oldest version that what was written so far agrees with. */
  floor: number
  /** Nobody could know whether the last write was done. */
  doubtful: boolean
  everDoubtful: boolean
  /** A job ended without a word of it. */
  everUnnamed: boolean
  writes: number
  creations: number
}

export interface Destination {
  readonly options: DestinationOptions
  readonly track: (id: string) => Readonly<Track> | undefined
  readonly ids: () => ReadonlyArray<string>
  /** The vendor has taken this content (undefined: deleted), `isLate`: of a job, whose deletions are checked before. */
  readonly applied: (
    id: string,
    content: string | undefined,
    effect: "created" | "updated" | "deleted",
    isLate?: boolean,
  ) => void
  /** Another record has taken over what this one had. */
  readonly displaced: (id: string) => void
  /** The engine was told that these are delivered. */
  readonly answered: (ids: ReadonlyArray<string>) => void
  /** The engine was not told, or died before it could note it. */
  readonly lost: (ids: ReadonlyArray<string>) => void
  /** The end of a job will not name this row, which may have been written. */
  readonly unnamed: (id: string, content: string | undefined) => void
  /** Another content was tried, and the engine was not told whether it was done. */
  readonly attempted: (id: string, content: string | undefined) => void
  /** Writes that changed something. */
  readonly writes: () => number
}

export const makeDestination = (options: DestinationOptions): Destination => {
  const tracks = new Map<string, Track>()
  let writes = 0
  const { route } = options

  const trackOf = (id: string): Track => {
    const known = tracks.get(id)
    if (known !== undefined) return known
    const made: Track = {
      content: undefined,
      attempt: undefined,
      floor: 0,
      doubtful: false,
      everDoubtful: false,
      everUnnamed: false,
      writes: 0,
      creations: 0,
    }
    tracks.set(id, made)
    return made
  }

  /** I5: it is the mapping of a state this very user had, and never of one older than what was written before. */
  const advance = (id: string, track: Track, content: string): void => {
    const versions = options.versions(id)
    const fits = versions.map((version) => options.content(version) === content)
    if (!fits.includes(true)) options.machine.violate("I5 phantom", `${route}: ${id} never was ${content}`)
    const floor = fits.indexOf(true, track.floor)
    if (floor < 0) options.machine.violate("I5 monotonic", `${route}: ${id} went back to ${content}`)
    track.floor = floor
  }

  const lost = (ids: ReadonlyArray<string>): void => {
    for (const id of ids) {
      const track = trackOf(id)
      track.doubtful = true
      track.everDoubtful = true
    }
  }

  return {
    options,
    track: (id) => tracks.get(id),
    ids: () => [...tracks.keys()],
    applied: (id, content, effect, isLate = false) => {
      const track = trackOf(id)
      const attempt = track.attempt
      track.attempt = content
      writes += 1
      track.writes += 1
      if (content === undefined) {
        if (!isLate && !options.mayDelete(id))
          options.machine.violate("rule 15", `${route}: ${id} was deleted and is at the source`)
        track.content = undefined
        return
      }
      if (effect === "created" && track.content !== undefined && !track.everDoubtful) {
        options.machine.violate("rule 7", `${route}: ${id} was created twice`)
      }
      if (track.content === content && attempt === content && !options.repeatable) {
        options.machine.violate("rule 3", `${route}: ${id} was written twice where that is not harmless`)
      }
      const isExcused = track.doubtful || (options.keyMoves && track.everDoubtful)
      if (track.content === content && !isExcused) {
        options.machine.violate("I4 duplicates", `${route}: ${id} was written again although nothing was lost`)
      }
      advance(id, track, content)
      track.content = content
    },
    displaced: (id) => {
      const track = trackOf(id)
      track.content = undefined
      track.floor = 0
    },
    answered: (ids) => {
      for (const id of ids) trackOf(id).doubtful = false
    },
    attempted: (id, content) => {
      trackOf(id).attempt = content
    },
    lost,
    unnamed: (id, content) => {
      lost([id])
      const track = trackOf(id)
      track.everUnnamed = true
      track.attempt = content
    },
    writes: () => writes,
  }
}
