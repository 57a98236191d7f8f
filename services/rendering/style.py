"""The style sheet of a transcript's page."""

SEATS = 6
"""How many colours there are for agents; further ones begin anew."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #fbfaf7; --card: #ffffff; --ink: #1f2328; --soft: #5b626b; --rule: #dfdcd4;
  --seat-1: #1d4f91; --seat-2: #9a3d12; --seat-3: #1f6b3a;
  --seat-4: #6d2b8f; --seat-5: #0f626d; --seat-6: #9b1f4b;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", sans-serif;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, Charter, Georgia, "Noto Serif", serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15171a; --card: #1d2024; --ink: #e6e4df; --soft: #a3a8af; --rule: #33373d;
    --seat-1: #8fb8f2; --seat-2: #f0a37c; --seat-3: #86cf9c;
    --seat-4: #cda4ea; --seat-5: #76cad6; --seat-6: #f19bb8;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.55 var(--sans); }
main { max-width: 46rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; overflow-wrap: anywhere; }
h1, h2, h3, p, dl, dd, ol, blockquote { margin: 0; padding: 0; }
h1 { font: 600 2rem/1.2 var(--serif); letter-spacing: -0.01em; }
h2 {
  margin: 2.75rem 0 1rem; font-size: .8rem; font-weight: 600; letter-spacing: .09em;
  text-transform: uppercase; color: var(--soft);
}
.eyebrow { margin-bottom: .5rem; font-size: .85rem; color: var(--soft); }
.scenario { margin-top: .9rem; font: 1.15rem/1.55 var(--serif); }
.text { white-space: pre-wrap; }
.note { color: var(--soft); font-size: .9rem; }
h1 + .note { margin-top: .9rem; }
.facts { display: flex; flex-wrap: wrap; gap: .35rem 1.75rem; }
.facts { margin-top: 1.25rem; font-size: .9rem; }
.facts div { display: flex; gap: .5rem; }
dt { flex: none; color: var(--soft); }
.cast { display: grid; gap: 1rem; }
.cast { grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr)); }
.card {
  padding: 1rem 1.1rem 1.1rem; background: var(--card); border: 1px solid var(--rule);
  border-top: 3px solid var(--seat); border-radius: .5rem;
}
.card h3 { display: flex; align-items: baseline; gap: .5rem; font-size: 1.05rem; }
article > p, article > .text { margin-top: .4rem; font-size: .93rem; }
.card dl { margin-top: .75rem; font-size: .93rem; }
.card dl div + div { margin-top: .4rem; }
.card dt { font-size: .78rem; }
.seat {
  display: inline-block; flex: none; min-width: 1.5em; padding: 0 .35em; border-radius: 1em;
  font: 600 .75rem/1.5em var(--sans); text-align: center;
  background: var(--seat); color: var(--card);
}
.turns { list-style: none; }
.turn { position: relative; padding: .15rem 0 .15rem 2.5rem; }
.turn + .turn { margin-top: .9rem; }
.turn > .number {
  position: absolute; left: 0; top: .3rem; width: 1.75rem; text-align: right;
  font-size: .78rem; font-variant-numeric: tabular-nums; color: var(--soft);
}
.line { padding-left: .9rem; border-left: 3px solid var(--seat); }
.line + .line { margin-top: .7rem; }
.who { display: flex; flex-wrap: wrap; align-items: center; gap: .1rem .5rem; font-size: .9rem; }
.who b { color: var(--seat); }
.kind { color: var(--soft); }
.said .text { font: 1.08rem/1.55 var(--serif); }
.non-verbal .text, .action .text { font: italic 1.02rem/1.55 var(--serif); }
.turn .note { padding-left: calc(.9rem + 3px); font-style: italic; }
details { border-top: 1px solid var(--rule); }
details:last-of-type { border-bottom: 1px solid var(--rule); }
summary { padding: .6rem 0; cursor: pointer; }
summary:focus-visible { outline: 2px solid var(--seat-1); outline-offset: 2px; }
details .text { padding: 0 0 1rem 1.1rem; font-size: .93rem; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .95rem; }
th, td { padding: .45rem .6rem; border-bottom: 1px solid var(--rule); }
th, td { text-align: right; vertical-align: bottom; }
th:first-child { padding-left: 0; text-align: left; }
th { font-weight: 500; }
thead th { min-width: 5rem; }
thead .seat { margin-right: .35rem; }
td { font-variant-numeric: tabular-nums; }
.range { color: var(--soft); white-space: nowrap; }
tfoot th, tfoot td { border-bottom: 0; border-top: 2px solid var(--ink); font-weight: 700; }
caption { caption-side: bottom; padding-top: .6rem; text-align: left; }
.reasoning { padding: 1rem 1.1rem; border: 1px solid var(--rule); border-radius: .5rem; }
.reasoning { background: var(--card); }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
.seat-0 { --seat: var(--soft); }
.seat-1 { --seat: var(--seat-1); }
.seat-2 { --seat: var(--seat-2); }
.seat-3 { --seat: var(--seat-3); }
.seat-4 { --seat: var(--seat-4); }
.seat-5 { --seat: var(--seat-5); }
.seat-6 { --seat: var(--seat-6); }
@media (max-width: 30rem) {
  main { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.6rem; }
  .turn { padding-left: 1.6rem; }
  .turn > .number { width: 1.1rem; }
  th, td { padding-inline: .35rem; }
}
@media print {
  :root {
    color-scheme: light;
    --page: #fff; --card: #fff; --ink: #000; --soft: #444; --rule: #bbb;
    --seat-1: #1d4f91; --seat-2: #9a3d12; --seat-3: #1f6b3a;
    --seat-4: #6d2b8f; --seat-5: #0f626d; --seat-6: #9b1f4b;
  }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  h2 { break-after: avoid; }
  .card, .line, tr { break-inside: avoid; }
  .seat { background: none; border: 1px solid currentcolor; color: var(--seat); }
  details::details-content { content-visibility: visible; block-size: auto; }
}
"""
"""Light and dark, for a screen of any width and for paper; it loads nothing.

Every pair of text and background has a contrast of at least 4.5 to 1 (WCAG 2, level AA). The
colours come with a number, so that nobody needs to tell them apart.
"""
