/** How a preview page looks: on a wide screen, on a phone, on paper, in the light and in the dark. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #57606a; --paper: #fff; --card: #f6f8fa; --line: #d0d7de;
  --good: #116329; --goodback: #dafbe1; --warn: #7d4e00; --warnback: #fff3cd; --bad: #a40e26; --badback: #ffebe9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9aa4af; --paper: #0d1117; --card: #161b22;
  --line: #3d444d; --good: #56d364; --goodback: #12261e; --warn: #e3b341; --warnback: #2e2410; --bad: #ff938a;
  --badback: #34181b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 96rem; padding: 1rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.2; } h2 { margin: 2rem 0 .5rem; font-size: 1.25rem; }
h3 { margin: 0; font-size: 1rem; } h1, h2, h3, p, td, th, dd { overflow-wrap: anywhere; }
p { margin: .25rem 0; } .dim { color: var(--dim); }
.notice { margin: .75rem 0; padding: .5rem .75rem; border: 1px solid var(--line); border-left-width: .3rem;
  border-radius: .3rem; } .shown { border-color: var(--bad); background: var(--badback); }
dl { display: flex; flex-wrap: wrap; gap: .5rem 2.5rem; margin: .75rem 0; } dt { color: var(--dim); font-size: .85rem; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.records { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(36rem, 100%), 1fr));
  align-items: start; padding: 0; margin: 1rem 0; list-style: none; }
.record { border: 1px solid var(--line); border-radius: .5rem; background: var(--card); padding: .75rem 1rem;
  min-width: 0; }
.route { margin-top: .5rem; } .route > p:first-child { display: flex; flex-wrap: wrap; gap: .25rem .6rem; }
.action { padding: 0 .5rem; border: 1px solid currentcolor; border-radius: 1rem; font-weight: 600; font-size: .85rem; }
.create, .send { color: var(--good); background: var(--goodback); } .change { color: var(--warn);
  background: var(--warnback); } .refuse, .delete { color: var(--bad); background: var(--badback); }
.reason { padding-left: .75rem; border-left: .2rem solid currentcolor; color: var(--bad); background: none; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th, td { padding: .25rem .5rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line);
  font-weight: 400; } thead th { border: 0; color: var(--dim); font-size: .8rem; }
.fields { table-layout: fixed; } .mark { width: 1.75rem; font-weight: 700; }
.fields thead th:nth-child(2) { width: 38%; } .counts td { text-align: right; }
.counts { width: auto; font-variant-numeric: tabular-nums; } .counts thead th + th { text-align: right; }
tr.changed { background: var(--paper); } tr.changed td:last-child { font-weight: 700; } tr.same > * { color: var(--dim); }
.field { font-weight: 600; } code { font: .85em ui-monospace, monospace; } bdi { white-space: pre-wrap; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 40rem) {
  .fields thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .fields tr { display: grid; grid-template-columns: 1.5rem 1fr 1fr; border-top: 1px solid var(--line);
    padding: .25rem 0; }
  .fields td, .fields th { border: 0; padding: .1rem .25rem; }
  .fields th[scope=row] { grid-column: 2 / -1; }
  .fields td[data-name] { grid-row: 2; } .fields td[data-name=before] { grid-column: 2; }
  .fields td[data-name=after] { grid-column: 3; }
  .fields td[data-name]::before { content: attr(data-name); display: block; font-size: .75rem; font-weight: 400;
    color: var(--dim); }
  .counts { display: block; overflow-x: auto; }
}
@media print { .record { break-inside: avoid; } }
`
