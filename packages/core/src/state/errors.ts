/** What the state itself can go wrong with. */
import * as Schema from "effect/Schema"

/** The state could not be read or written: the run stops, because nothing may be called done that is not recorded. */
export class StateError extends Schema.TaggedError<StateError>()("StateError", {
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect()),
}) {}

/** A later run has taken over this pipeline: this process may no longer write (rule 10). */
export class Fenced extends Schema.TaggedError<Fenced>()("Fenced", { message: Schema.String }) {}
