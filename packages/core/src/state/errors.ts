/** What the state itself can go wrong with. */
import * as Schema from "effect/Schema"

/** The state could not be read or written: the run stops, because nothing may be called done that is not recorded. */
export class StateError extends Schema.TaggedError<StateError>()("StateError", {
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect()),
}) {}

/** A later run has taken over this pipeline: this process may no longer write (rule 10). */
export class Fenced extends Schema.TaggedError<Fenced>()("Fenced", { message: Schema.String }) {}

/** Everything the state can fail with. */
export type StateFailure = StateError | Fenced

/** Any error of the database or of its contents, as one the user can act on. */
export const stateFailure = (error: { readonly message: string }): StateFailure =>
  error instanceof StateError || error instanceof Fenced
    ? error
    : new StateError({ message: `the state could not be read or written: ${error.message}`, cause: error })
