/** What `sluice init` wrote, and what to do with it. */
import type { Proposed } from "../authoring/propose.ts"
import type { InitReport } from "../commands/init.ts"
import { ofProblems } from "../troubles.ts"
import { renderTroubles } from "./problems.ts"
import { table } from "./table.ts"
import { clean, hang, type Page } from "./text.ts"
import { renderWritten } from "./written.ts"

export const renderInit = (report: InitReport, page: Page): string => {
  const { style, width } = page
  const { proposal, written, source, sink } = report
  const { doubtful, missing } = proposal
  return [
    ...written.map((each) => renderWritten(each, page)),
    "",
    `${clean(source)} → ${clean(sink)}, matched by ${clean(proposal.key)}`,
    ...mapTable(proposal.map, page),
    ...(doubtful.length === 0
      ? []
      : ["", style.dim("Not sure, so in the file as comments"), ...mapTable(doubtful, page)]),
    ...missing.map((name) =>
      hang(`${style.yellow("!")} `, `${clean(name)} is required, and nothing fits: map it`, width),
    ),
    ...(report.problems.length === 0 ? [] : ["", renderTroubles(ofProblems(report.problems), page)]),
    "",
    ...steps(report).map((step, at) => hang(`${at + 1}. `, step, width)),
  ].join("\n")
}

const mapTable = (map: ReadonlyArray<Proposed>, { style, width }: Page): ReadonlyArray<string> =>
  table(
    [{ title: "", least: 12 }, { title: "" }, { title: "", least: 12 }, { title: "", least: 20 }],
    map.map(({ field, from, as, doubt }) => [
      clean(from),
      "→",
      clean(field),
      {
        text: [...(as === undefined ? [] : [`as ${as}`]), ...(doubt === undefined ? [] : [doubt])].join("; "),
        paint: style.dim,
      },
    ]),
    width - 2,
    style.dim,
  ).map((line) => `  ${line}`)

const steps = ({ file, variables, connected, again }: InitReport): ReadonlyArray<string> => {
  const unset = variables.filter(({ set }) => !set).map(({ name }) => name)
  return [
    ...(unset.length === 0
      ? []
      : [
          `Put the real values of ${unset.join(", ")} in .env; or try it on a local stand-in: \`sluice sandbox > sandbox.env &\`, then \`. ./sandbox.env\`.`,
        ]),
    ...(connected ? [] : [`\`${clean(again)}\` looks at the fields that are there, and proposes the whole mapping.`]),
    `\`sluice check ${clean(file)} --connect\``,
    `\`sluice preview ${clean(file)}\` shows what a run would write, and writes nothing.`,
  ]
}
