/** What the answer for a row leads to. Pure. */
import { Outcome, type Row } from "@sluice/core"
import { type Problem, readProblems } from "../errors.ts"
import { id18 } from "../ids.ts"
import type { ObjectOptions } from "../options.ts"
import type { Result } from "../shapes.ts"
import type { Aim } from "./aim.ts"

export type Verdict =
  | { readonly _tag: "Settled"; readonly outcome: Outcome }
  /** Another record is meant: which one has to be looked up. */
  | { readonly _tag: "Seek"; readonly aim: Aim; readonly problem: Problem }
  /** The whole batch is too much: half of it may pass. */
  | { readonly _tag: "Halve"; readonly problem: Problem }
  /** Where it befalls every row of a call, nothing more is sent. */
  | { readonly _tag: "Fatal"; readonly aim: Aim; readonly problem: Problem }

const settled = (outcome: Outcome): Verdict => ({ _tag: "Settled", outcome })

export const rejected = ({ row }: { readonly row: Pick<Row, "id"> }, problem: Omit<Problem, "handling">): Outcome => {
  const ids = problem.ids.length === 0 ? "" : `: ${problem.ids.slice(0, 5).join(", ")}`
  return Outcome.Rejected({
    id: row.id,
    code: problem.code,
    message: `${problem.message}${ids}`,
    ...(problem.fields.length > 0 ? { fields: problem.fields } : {}),
  })
}

export const personAccount = (row: Row, id: string): Outcome =>
  rejected(
    { row },
    {
      code: "person_account",
      message:
        "Salesforce: the Contact is a person account: write it as an Account, with PersonEmail and fields that end in __pc",
      fields: [],
      ids: [id],
    },
  )

const deferred = ({ row }: Aim, { message }: Problem): Verdict => settled(Outcome.Deferred({ id: row.id, message }))

const unnamed: Problem = {
  code: "no_error",
  handling: "data",
  message: "Salesforce: the row failed, and the answer does not say why",
  fields: [],
  ids: [],
}

type Policies = Pick<ObjectOptions, "duplicates" | "missing_parent">

export const verdictOf = (aim: Aim, result: Result, policies: Policies): Verdict => {
  if (result.success) {
    const remoteId = result.id ?? aim.id
    return settled(
      Outcome.Delivered({
        id: aim.row.id,
        effect: result.created === true ? "created" : "updated",
        ...(typeof remoteId === "string" ? { remoteId: id18(remoteId) } : {}),
        ...(aim.dropped.length > 0 ? { dropped: aim.dropped } : {}),
      }),
    )
  }
  const problem = readProblems(result.errors)[0] ?? unnamed
  switch (problem.handling) {
    case "lock":
    case "bystander":
    case "crowded":
    case "passing":
    case "maintenance":
      return deferred(aim, problem)
    case "no_parent":
      return policies.missing_parent === "wait"
        ? deferred(aim, problem)
        : settled(Outcome.Delivered({ id: aim.row.id, effect: "unchanged" }))
    case "smaller":
      return { _tag: "Halve", problem }
    case "config":
    case "access":
    case "storage":
      return { _tag: "Fatal", aim, problem }
    case "stale":
      return aim.isFresh ? settled(rejected(aim, problem)) : { _tag: "Seek", aim, problem }
    case "converted":
    case "ambiguous":
      return { _tag: "Seek", aim, problem }
    case "duplicates":
      return policies.duplicates === "adopt" ? { _tag: "Seek", aim, problem } : settled(rejected(aim, problem))
    default:
      return settled(rejected(aim, problem))
  }
}
