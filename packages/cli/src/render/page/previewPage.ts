/** A preview as one file for a browser: no script, and nothing is fetched. What would be refused comes first. */
import { createHash } from "node:crypto"
import {
  type FieldPreview,
  mask,
  type PreviewAction,
  type PreviewReport,
  previewActions,
  type RecordPreview,
  type RowPreview,
} from "@sluice/core"
import { MEANING, markOf, oneLine, printAfter, printValue } from "../preview.ts"
import { duration, number, plural } from "../text.ts"
import { type Html, html, nothing } from "./html.ts"
import { STYLE } from "./style.ts"

/** What tells a page of ours from other files. */
export const GENERATOR = "sluice preview"

/** Only this style applies, whatever a value may have brought along. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'`

export const previewPage = (reports: ReadonlyArray<PreviewReport>): string => {
  const title = `Preview of ${reports.map(({ pipeline }) => pipeline).join(", ")}`
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="${GENERATOR}">
<meta http-equiv="Content-Security-Policy" content="${{ markup: POLICY.replaceAll('"', "&quot;") }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${{ markup: STYLE }}</style>
</head>
<body>
<header>
<h1>${title}</h1>
${reports.some(({ masked }) => !masked) ? SHOWN : MASKED}
</header>
<main>
${reports.map((report) => pipelinePart(report, reports.length === 1))}
</main>
</body>
</html>
`
  return page.markup
}

const MASKED = html`<p class="notice">Nothing was written. Values are masked.</p>`
const SHOWN = html`<p class="notice shown"><strong>Nothing was written. Values are shown in full: this page holds personal data.</strong></p>`

const pipelinePart = (report: PreviewReport, alone: boolean): Html => {
  const { source, pipeline } = report
  return html`<section aria-label="${pipeline}">
<h2>${alone ? "" : `${pipeline}: `}${source.connection}.${source.stream} → ${Object.keys(report.routes).join(", ")}</h2>
${costPart(report)}
${countsPart(report)}
${report.not_found.map(({ field, value }) => html`<p class="notice">No record with ${field} <bdi>${report.masked ? String(mask(value)) : value}</bdi>.</p>`)}
<ul class="records">
${gravestFirst(report.records).map(recordPart)}
</ul>
</section>`
}

/** Facts of the whole run. */
const costPart = ({ run, source, routes }: PreviewReport): Html => {
  const calls = Object.entries(run.calls).map(([connection, count]) => {
    const about = connection === source.connection ? "about" : "at most"
    return fact(`Calls to ${connection}`, count === null ? "unknown" : `${about} ${number(count)}`)
  })
  return html`<dl>
${fact("Source account", source.account)}
${Object.entries(routes).map(([route, { account }]) => fact(`Account of ${route}`, account))}
${fact("Records of the whole run", run.records === null ? "unknown" : number(run.records))}
${calls}
${fact("Time at the rate limits", run.seconds === null ? "unknown" : `about ${duration(run.seconds * 1000)}`)}
</dl>
<p class="dim">Rows that are equal to what was last written cost no call.</p>`
}

const fact = (name: string, value: string): Html => html`<div><dt>${name}</dt><dd><bdi>${value}</bdi></dd></div>`

const countsPart = ({ routes, records }: PreviewReport): Html => {
  const shown = previewActions.filter((action) => Object.values(routes).some(({ actions }) => actions[action] > 0))
  return html`<table class="counts">
<caption class="hidden">What would become of the ${plural(records.length, "record")} shown</caption>
<thead><tr><th scope="col">${plural(records.length, "record")} shown</th>${shown.map((action) => html`<th scope="col">${action}</th>`)}</tr></thead>
<tbody>
${Object.entries(routes).map(
  ([route, { actions }]) =>
    html`<tr><th scope="row">${route}</th>${shown.map((action) => html`<td>${number(actions[action])}</td>`)}</tr>`,
)}
</tbody>
</table>`
}

/** What a reader has to do something about, then what would change something, then the rest. */
const GRAVITY: ReadonlyArray<PreviewAction> = [
  "refuse",
  "hold",
  "delete",
  "change",
  "create",
  "send",
  "leave",
  "filter",
]

const gravity = ({ routes }: RecordPreview): number =>
  Math.min(GRAVITY.length, ...Object.values(routes).map(({ action }) => GRAVITY.indexOf(action)))

const gravestFirst = (records: ReadonlyArray<RecordPreview>): ReadonlyArray<RecordPreview> =>
  [...records].sort((one, other) => gravity(one) - gravity(other))

const recordPart = (record: RecordPreview): Html => html`<li class="record">
<article>
<h3><bdi>${record.id}</bdi></h3>
${Object.entries(record.routes).map(([route, row]) => rowPart(record, route, row))}
</article>
</li>
`

const rowPart = (record: RecordPreview, route: string, row: RowPreview): Html => {
  const changed = row.fields.filter((field) => field.changed).length
  const what = row.action === "change" ? `${changed} of ${plural(row.fields.length, "field")}` : MEANING[row.action]
  return html`<div class="route">
<p><span class="action ${row.action}">${row.action}</span> <span>${route}</span> <span class="dim">${what}</span></p>
${row.reasons.map(({ code, message }) => html`<p class="reason"><strong>${code}</strong>: <bdi>${message}</bdi></p>`)}
${row.why === undefined ? nothing : html`<p class="dim">because: <bdi>${row.why}</bdi></p>`}
${row.fields.length === 0 ? nothing : fieldsPart(record, route, row)}
</div>`
}

/** Roles are written out: where a narrow screen lays rows out anew, a browser would forget that this is a table. */
const fieldsPart = (
  record: RecordPreview,
  route: string,
  row: RowPreview,
): Html => html`<table class="fields" role="table">
<caption class="hidden">Fields of <bdi>${record.id}</bdi> for ${route}</caption>
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col" class="mark"><span class="hidden">mark</span></th><th role="columnheader" scope="col">field</th><th role="columnheader" scope="col">before</th><th role="columnheader" scope="col">after</th></tr></thead>
<tbody role="rowgroup">
${row.fields.map((field) => fieldPart(field, row.action))}
</tbody>
</table>`

const WORDS: ReadonlyMap<string, string> = new Map([
  ["+", "new"],
  ["~", "changes"],
  ["-", "is cleared"],
  ["=", "equal"],
  [" ", "not compared"],
])

const fieldPart = (field: FieldPreview, action: PreviewAction): Html => {
  const mark = markOf(field)
  return html`<tr role="row" class="${field.changed ? "changed" : "same"}"><td role="cell" class="mark"><span aria-hidden="true">${mark}</span><span class="hidden">${WORDS.get(mark) ?? ""}</span></td><th role="rowheader" scope="row"><code>${oneLine(field.source)}</code> → <span class="field">${field.field}</span></th><td role="cell" data-name="before"><bdi>${action === "send" ? "?" : printValue(field.before, "–")}</bdi></td><td role="cell" data-name="after"><bdi>${printAfter(field)}</bdi></td></tr>
`
}
