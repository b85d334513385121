/** The page's only style sheet; its hash is all that the page's policy admits. No colour says anything that a word does not say too. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#fbfaf8, #15161a);
  --raised: light-dark(#ffffff, #1d1f25);
  --line: light-dark(#dedbd4, #33363f);
  --text: light-dark(#1c1b19, #e9e7e2);
  --quiet: light-dark(#66625a, #a09d96);
  --accent: light-dark(#0b5c7a, #7cc7e3);
  --wash: light-dark(#c3dce6, #24485a);
  --good: light-dark(#1f6b3a, #83d19c);
  --bad: light-dark(#a3261b, #f0948a);
  --warn: light-dark(#7a5200, #e5b567);
  --bad-wash: light-dark(#e9a79f, #8a3a33);
  --warn-wash: light-dark(#e8c987, #77592a);
  font: 16px/1.5 system-ui, sans-serif;
  font-variant-numeric: tabular-nums;
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); overflow-wrap: break-word; }
header, main, footer { width: min(100%, 70rem); margin-inline: auto; padding-inline: clamp(1rem, 4vw, 2rem); }
header { padding-block: 2.5rem 0.5rem; }
footer { padding-block: 1rem 3rem; color: var(--quiet); font-size: 0.8125rem; }
h1 { font-size: clamp(1.5rem, 5vw, 2.125rem); line-height: 1.2; font-weight: 650; margin: 0 0 0.5rem; overflow-wrap: anywhere; text-wrap: balance; }
h2 { font-size: 1.125rem; font-weight: 650; margin: 0 0 0.25rem; }
h3 { font-size: 0.875rem; font-weight: 600; margin: 0 0 0.5rem; }
p { margin: 0 0 0.75rem; max-width: 46rem; }
.quiet, .eyebrow, caption { color: var(--quiet); font-size: 0.875rem; }
.eyebrow { margin: 0 0 0.25rem; }
section { margin-top: 3rem; }
code { font: 0.875em ui-monospace, monospace; overflow-wrap: anywhere; }
td code { white-space: nowrap; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.warn { color: var(--warn); }
.facts { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); margin: 1.5rem 0 0; background: var(--raised); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.facts > div { padding: 0.875rem 1rem; margin: 0 -1px -1px 0; border-right: 1px solid var(--line); border-bottom: 1px solid var(--line); }
.facts dt { color: var(--quiet); font-size: 0.8125rem; }
.facts dd { margin: 0; font-size: 1.375rem; font-weight: 600; line-height: 1.3; }
.facts dd + dd { font-size: 0.8125rem; font-weight: 400; color: var(--quiet); line-height: 1.45; }
.facts .wide { grid-column: span 2; }
.says { margin: 0.75rem 0 1rem; padding-left: 1.25rem; max-width: 46rem; }
.says li { margin-bottom: 0.375rem; }
.scroll { overflow-x: auto; margin-top: 0.75rem; border: 1px solid var(--line); border-radius: 10px; background: var(--raised); }
.scroll:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: 0.875rem; }
th, td { text-align: left; padding: 0.5rem 0.75rem; vertical-align: top; border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
thead th { color: var(--quiet); font-weight: 500; white-space: nowrap; font-size: 0.8125rem; }
tbody th { font-weight: 500; min-width: 11rem; max-width: 22rem; overflow-wrap: anywhere; }
.n { text-align: right; white-space: nowrap; }
.word { white-space: nowrap; }
.why { min-width: 14rem; max-width: 32rem; overflow-wrap: anywhere; }
td .quiet, th .quiet { display: block; font-weight: 400; font-size: 0.8125rem; overflow-wrap: anywhere; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem; margin-top: 1rem; }
.card { background: var(--raised); border: 1px solid var(--line); border-radius: 10px; padding: 1rem; margin-top: 0.75rem; min-width: 0; }
.pair .card { margin-top: 0; }
.card p { margin: 0.5rem 0 0; }
svg { display: block; width: 100%; overflow: visible; }
.chart { position: relative; }
.chart .top { position: absolute; top: -0.25rem; left: 0; font-size: 0.75rem; color: var(--quiet); }
.plot { height: 6rem; border-bottom: 1px solid var(--line); }
.plot.tall { height: 11rem; }
.spark { width: 8rem; height: 1.75rem; overflow: hidden; border-bottom: 1px solid var(--line); }
.axis { display: flex; justify-content: space-between; font-size: 0.75rem; color: var(--quiet); padding-top: 0.25rem; }
.line { fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.fill { fill: var(--wash); }
.grid { stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
.bar { fill: var(--accent); }
.track { fill: var(--line); }
.range { fill: var(--wash); }
.point { fill: var(--accent); transform: translateX(-1.5px); }
.ran { fill: var(--line); }
.slow { fill: var(--warn-wash); }
.stalled { fill: var(--bad-wash); }
.failed { fill: var(--bad); transform: translateX(-1px); }
.interval { height: 16px; min-width: 7rem; }
.count { height: 14px; min-width: 5rem; }
.lane { height: 14px; flex: 1; min-width: 0; }
.timeline { list-style: none; margin: 0; padding: 0; }
.timeline li { display: flex; align-items: center; gap: 0.75rem; padding-block: 0.1875rem; border-top: 1px solid var(--line); }
.timeline li:first-child { border-top: 0; }
.who { width: clamp(6rem, 26%, 15rem); flex: none; font-size: 0.8125rem; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.timeline-axis { margin-left: calc(clamp(6rem, 26%, 15rem) + 0.75rem); }
.key { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; list-style: none; margin: 0 0 0.75rem; padding: 0; font-size: 0.8125rem; color: var(--quiet); }
.key svg { display: inline-block; width: 1.25rem; height: 0.625rem; margin-right: 0.375rem; }
.page { margin-top: 0.75rem; content-visibility: auto; contain-intrinsic-size: auto 2rem; }
summary { cursor: pointer; padding: 0.25rem 0; color: var(--accent); font-size: 0.875rem; width: fit-content; }
th details { margin-top: 0.125rem; }
th summary { font-size: 0.8125rem; padding: 0; }
blockquote { margin: 0.25rem 0 0; padding-left: 0.75rem; border-left: 2px solid var(--line); white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.8125rem; max-width: 34rem; }
@media (max-width: 40rem) {
  section { margin-top: 2.25rem; }
  .facts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .spark { width: 7rem; }
  th, td { padding: 0.4375rem 0.625rem; }
  .why { min-width: 12rem; }
}
@media print {
  :root { color-scheme: light; font-size: 11px; }
  body { background: #fff; }
  header, main, footer { width: 100%; padding-inline: 0; }
  header { padding-top: 0; }
  section { margin-top: 1.75rem; }
  .scroll { overflow: visible; }
  .facts > div, .card, tr, .timeline li { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  svg rect, svg path, .facts { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .page { content-visibility: visible; }
  th summary { display: none; }
  th details::details-content { content-visibility: visible; display: block; }
  .spark { width: 6rem; }
}
`;
