/** A fault for the engine's source. */

export interface Edit {
  /** Below packages/core/src. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
}

export interface Mutant {
  readonly name: string
  readonly edits: ReadonlyArray<Edit>
  /** Where the hunt begins: near the seed that noticed it last, for the sake of speed alone. */
  readonly from?: number
}

export const one = (name: string, file: string, find: string, replace: string, from = 1): Mutant => ({
  name,
  edits: [{ file, find, replace }],
  from,
})
