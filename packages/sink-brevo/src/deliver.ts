/** Writes one row: the calls it takes, and what each answer leads to. */
import { Outcome, type Row, type SinkError } from "@sluice/core"
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import { addressable, type BrevoApi } from "./api.ts"
import { isPhone } from "./attributes.ts"
import { stop, type Trouble } from "./errors.ts"
import {
  byId,
  identifierType,
  keyNames,
  type Plan,
  planBlind,
  planCreate,
  planMerge,
  planUpdate,
  type Terms,
  type Unfit,
  type Wanted,
  want,
  without,
} from "./plan.ts"
import type { Contact, Identifier } from "./shapes.ts"

/**
 * Calls for a row. New to the ledger: one POST that only creates. Known to it: a GET, because an address, a list or a
 * block is only written in the knowledge of the consent Brevo holds, then a PUT, or none where nothing differs; where
 * the mapping has none of these, the PUT alone. New to the ledger but not to Brevo: POST, GET, PUT, and for those that
 * follow it GET, PUT: in an account that was filled before, most are like the last one.
 */
export const looksFirst = (fields: ReadonlyArray<string>, lists: ReadonlyArray<number>): boolean =>
  lists.length > 0 ||
  fields.some((name) => ["email", "listIds", "emailBlacklisted", "smsBlacklisted"].includes(name) || isPhone(name))

/** Where a row stands between two calls. */
interface State {
  readonly wanted: Wanted
  /** The contact to update; undefined: to create. */
  readonly contact: Contact | undefined
  /** The id to update without a look. */
  readonly blind: string | undefined
  readonly rivals: ReadonlyArray<Contact> | undefined
}

type Step = { readonly _tag: "Again"; readonly state: State } | { readonly _tag: "Settled"; readonly outcome: Outcome }
const again = (state: State): Step => ({ _tag: "Again", state })
const settled = (outcome: Outcome): Step => ({ _tag: "Settled", outcome })

/** More than any row needs: each turn finds the contact, leaves a field out or allows a merge, once each. */
const MOST_TURNS = 6

const rejected = (id: string, { code, message, fields }: Unfit): Outcome =>
  Outcome.Rejected({ id, code, message, ...(fields.length > 0 ? { fields } : {}) })

const planOf = ({ wanted, contact, blind, rivals }: State, terms: Terms): Plan => {
  if (contact !== undefined) {
    return rivals === undefined ? planUpdate(wanted, contact, terms) : planMerge(wanted, contact, rivals, terms)
  }
  return blind === undefined ? planCreate(wanted, terms) : planBlind(wanted)
}

const delivered = (row: Row, plan: Plan, effect: "created" | "updated" | "unchanged", remoteId: string | undefined) =>
  Outcome.Delivered({
    id: row.id,
    effect,
    ...(remoteId === undefined ? {} : { remoteId }),
    ...(plan.dropped.length > 0 ? { dropped: plan.dropped } : {}),
  })

export const makeDeliver = (api: BrevoApi, looks: boolean) => {
  /** The contact, or undefined where there is none. While Brevo is busy with it nobody can tell, and nothing is made. */
  const look = (id: Identifier): Effect.Effect<Contact | undefined, SinkError | Busy> =>
    Effect.flatMap(api.find(id), (reply) => {
      if (reply._tag === "Busy") return Effect.fail(reply)
      return Effect.succeed(reply._tag === "Done" ? reply.value : undefined)
    })

  const identifierOf = (wanted: Wanted, field: string): Json | undefined => {
    if (field === "email") return wanted.email
    return field === "ext_id" ? wanted.extId : wanted.attributes.get(field)?.value
  }

  /** The contact that holds an identifier of the row. */
  const owner = (wanted: Wanted, field: string): Effect.Effect<Contact | undefined, SinkError | Busy> => {
    const type = identifierType(field)
    const value = identifierOf(wanted, field)
    return type === undefined || typeof value !== "string" || !addressable(value)
      ? Effect.succeed(undefined)
      : look({ type, value })
  }

  /** The identifier under which the last row that was new to the ledger turned out to be there. */
  let guess: string | undefined

  /** The row's own contact under one of its identifiers: under its key, or under its e-mail with no key of its own. */
  const ownContact = Effect.fnUntraced(function* (wanted: Wanted, field: string, terms: Terms) {
    const contact = yield* owner(wanted, field)
    if (contact === undefined || field === terms.key) return contact
    const free = terms.key !== "ext_id" || contact.extId === undefined || contact.extId === wanted.extId
    return (field === "email" && free) || terms.options.on_identifier_conflict === "merge" ? contact : undefined
  })

  /** Finds the contact of a row that the ledger does not know, by what Brevo says is taken. */
  const adopt = Effect.fnUntraced(function* (wanted: Wanted, taken: ReadonlyArray<string>, terms: Terms) {
    const fields = [terms.key, ...keyNames.filter((field) => field !== terms.key)]
    for (const field of taken.length === 0 ? fields : fields.filter((each) => taken.includes(each))) {
      const contact = yield* ownContact(wanted, field, terms)
      if (contact === undefined) continue
      guess = field
      return contact
    }
    guess = undefined
    return undefined
  })

  /** What is known of the contact before the first write. */
  const first = (row: Row, wanted: Wanted, terms: Terms): Effect.Effect<Contact | undefined, SinkError | Busy> => {
    if (row.remoteId !== undefined) return looks ? look(byId(row.remoteId)) : Effect.succeed(undefined)
    return guess === undefined ? Effect.succeed(undefined) : adopt(wanted, [guess], terms)
  }

  /** What the route says about identifiers that belong to somebody else. */
  const settleConflict = Effect.fnUntraced(function* (row: Row, state: State, trouble: Conflict, terms: Terms) {
    const policy = terms.options.on_identifier_conflict
    const mapped = trouble.identifiers.filter((field) => identifierOf(state.wanted, field) !== undefined)
    const taken = mapped.length > 0 ? mapped : [...state.wanted.attributes.keys()].filter(isPhone)
    if (policy === "merge" && state.contact !== undefined && state.rivals === undefined) {
      const self = state.contact.id
      const found = yield* Effect.forEach(taken, (field) => owner(state.wanted, field))
      const rivals = found.filter((each) => each !== undefined).filter(({ id }) => id !== self)
      return again({ ...state, rivals })
    }
    if (policy === "drop" && taken.length > 0 && taken.every((field) => isPhone(field) && field !== terms.key)) {
      return again({ ...state, wanted: without(state.wanted, taken, "taken", "belongs to another contact") })
    }
    const fields = mapped.length > 0 ? mapped : [terms.key]
    const message = `${fields.join(", ")} belongs to another contact`
    return settled(rejected(row.id, { code: "identifier_taken", message, fields }))
  })

  const conflicted = Effect.fnUntraced(function* (row: Row, state: State, trouble: Conflict, terms: Terms) {
    if (state.contact === undefined && state.blind === undefined) {
      const contact = yield* adopt(state.wanted, trouble.identifiers, terms)
      if (contact !== undefined) return again({ ...state, contact })
    }
    return yield* settleConflict(row, state, trouble, terms)
  })

  const badPhone = (row: Row, state: State, trouble: BadPhone, terms: Terms): Step => {
    const mapped = [...state.wanted.attributes.keys()].filter((name) => isPhone(name) && name !== terms.key)
    const named = mapped.filter((name) => trouble.fields.includes(name))
    const fields = named.length > 0 ? named : mapped
    if (terms.options.on_identifier_conflict === "drop" && fields.length > 0) {
      return again({ ...state, wanted: without(state.wanted, fields, trouble.code, "was refused by Brevo") })
    }
    return settled(rejected(row.id, { code: trouble.code, message: "Brevo refused the phone number", fields }))
  }

  const troubled = (row: Row, state: State, trouble: Trouble, terms: Terms): Effect.Effect<Step, SinkError | Busy> => {
    switch (trouble._tag) {
      case "Absent":
        if (state.contact === undefined && state.blind === undefined) {
          return Effect.fail(stop("Brevo knows no such address or list: check `with: lists` and base_url", []))
        }
        // It vanished since we looked, or the ledger's id is gone (deleted or merged by hand): found by key, or made.
        return Effect.succeed(again({ ...state, contact: undefined, blind: undefined, rivals: undefined }))
      case "Conflict":
        return conflicted(row, state, trouble, terms)
      case "BadPhone":
        return Effect.succeed(badPhone(row, state, trouble, terms))
      case "Rejected":
        return Effect.succeed(settled(rejected(row.id, trouble)))
      case "Busy":
        return Effect.fail(trouble)
      case "BadLists":
        return Effect.fail(stop(trouble.message, ["with", "lists"]))
    }
  }

  const turn = Effect.fnUntraced(function* (row: Row, state: State, terms: Terms) {
    const plan = planOf(state, terms)
    const id = state.contact?.id ?? state.blind
    if (plan.body === undefined) return settled(delivered(row, plan, "unchanged", id))
    if (id === undefined) {
      const reply = yield* api.create(plan.body)
      return reply._tag === "Done"
        ? settled(delivered(row, plan, "created", reply.value))
        : yield* troubled(row, state, reply, terms)
    }
    const reply = yield* api.update(byId(id), plan.body)
    return reply._tag === "Done"
      ? // After a merge Brevo does not say which of the two ids lives on.
        settled(delivered(row, plan, "updated", state.rivals === undefined ? id : undefined))
      : yield* troubled(row, state, reply, terms)
  })

  const deliver = Effect.fnUntraced(function* (row: Row, terms: Terms): Effect.fn.Return<Outcome, SinkError | Busy> {
    const wanted = want(row, terms)
    if ("code" in wanted) return rejected(row.id, wanted)
    const contact = yield* first(row, wanted, terms)
    let state: State = { wanted, contact, blind: looks ? undefined : row.remoteId, rivals: undefined }
    for (let count = 0; count < MOST_TURNS; count++) {
      const step = yield* turn(row, state, terms)
      if (step._tag === "Settled") return step.outcome
      state = step.state
    }
    return Outcome.Deferred({ id: row.id, message: "Brevo: the contact changes while it is written" })
  })

  return (row: Row, terms: Terms): Effect.Effect<Outcome, SinkError> =>
    Effect.catchTag(deliver(row, terms), "Busy", ({ message }) =>
      Effect.succeed(Outcome.Deferred({ id: row.id, message })),
    )
}

type Busy = Extract<Trouble, { readonly _tag: "Busy" }>

type Conflict = Extract<Trouble, { readonly _tag: "Conflict" }>
type BadPhone = Extract<Trouble, { readonly _tag: "BadPhone" }>
