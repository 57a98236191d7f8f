"""The style sheet of a report's page."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f8f8f6; --card: #ffffff; --ink: #1f2328; --soft: #5b626b; --rule: #e0dfda;
  --alarm: #9b1c1c; --alarm-page: #fdf0ee; --note-page: #fbf5e3; --note: #7a5a00;
  --backend-1: #0b66b0; --backend-2: #c4500a; --backend-3: #007f5c;
  --backend-4: #a3428a; --backend-5: #4a3b00; --backend-6: #7c8796;
  --peer-1: #3f454d; --peer-2: #8a6914; --peer-3: #27788a;
  --peer-4: #8f4a38; --peer-5: #7a5cb0; --peer-6: #76925f;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", sans-serif;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #15171a; --card: #1d2024; --ink: #e6e4df; --soft: #a3a8af; --rule: #363a41;
    --alarm: #ff9d94; --alarm-page: #391b1a; --note-page: #2d2817; --note: #e6c565;
    --backend-1: #5eaef0; --backend-2: #f58b4c; --backend-3: #3cc79a;
    --backend-4: #e195cd; --backend-5: #f4f0b8; --backend-6: #878f9b;
    --peer-1: #d3d7dd; --peer-2: #d3b45c; --peer-3: #72bfcf;
    --peer-4: #da9c8c; --peer-5: #bda4ee; --peer-6: #7d9462;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.55 var(--sans); }
main { max-width: 74rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; overflow-wrap: anywhere; }
h1, h2, h3, p, dl, dd, ul, figure { margin: 0; padding: 0; }
h1 { font-size: 2rem; line-height: 1.2; letter-spacing: -.015em; }
h2 { margin: 3.25rem 0 .35rem; font-size: 1.4rem; letter-spacing: -.01em; }
h3 { font-size: 1rem; font-weight: 600; }
h3 .unit { font-weight: 400; color: var(--soft); }
.about, .note { max-width: 46rem; color: var(--soft); font-size: .95rem; }
.eyebrow { margin-bottom: .3rem; font-size: .85rem; color: var(--soft); }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; }
.facts { margin-top: 1.25rem; font-size: .95rem; }
.facts div { display: contents; }
dt { color: var(--soft); }
.warning { margin-top: 1.25rem; padding: .9rem 1.1rem; border-radius: .5rem; }
.warning { border: 1px solid currentcolor; border-left-width: .4rem; }
.warning { background: var(--note-page); color: var(--note); }
.warning.alarm { background: var(--alarm-page); color: var(--alarm); }
.warning h2 { margin: 0; font-size: 1.1rem; }
.warning ul { padding-left: 1.2rem; }
.warning h3:not(:first-child) { margin-top: .6rem; }
.warning li, .warning p { color: var(--ink); }
.charts { display: grid; gap: 1.25rem; margin-top: 1.25rem; }
.charts { grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); }
figure { padding: 1rem 1.1rem .4rem; background: var(--card); border: 1px solid var(--rule); }
figure { display: flex; flex-direction: column; border-radius: .5rem; min-width: 0; }
.chart { display: block; width: 100%; height: auto; max-width: 31rem; margin: .6rem auto .5rem; }
.chart text { font-family: var(--sans); font-variant-numeric: tabular-nums; }
details { margin-top: auto; border-top: 1px solid var(--rule); font-size: .9rem; }
summary { padding: .45rem 0; color: var(--soft); cursor: pointer; }
summary:focus-visible, .wide:focus-visible { outline: 2px solid var(--backend-1); }
.wide { overflow-x: auto; overflow-wrap: normal; }
section > .wide { margin-top: 1.25rem; background: var(--card); border: 1px solid var(--rule); }
section > .wide { padding: .35rem 1rem; border-radius: .5rem; }
table { width: 100%; border-collapse: collapse; font-size: .88rem; }
caption { padding: .5rem 0; text-align: left; font-size: 1rem; font-weight: 600; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--rule); vertical-align: baseline; }
tbody tr:last-child > * { border-bottom: 0; }
th { font-weight: 500; text-align: left; }
thead th { color: var(--soft); vertical-align: bottom; }
th:first-child { position: sticky; left: 0; padding-left: 0; background: var(--card); }
tbody th { min-width: 9.5rem; }
tr > :last-child { padding-right: 0; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.texts td + td { min-width: 9rem; }
td b { font-weight: 700; }
.spread, .times { color: var(--soft); font-size: .92em; }
.times { display: inline-block; min-width: 3.2em; margin-left: .35em; }
.marked, .marked:first-child { padding-left: 1.3em; }
.mark { position: absolute; left: 0; top: .75em; width: .8em; height: .8em; }
.mark { border: 2px solid var(--look); border-radius: .2em; background: var(--look); }
.mark.peer { background: none; }
.backend-1 { --look: var(--backend-1); } .backend-2 { --look: var(--backend-2); }
.backend-3 { --look: var(--backend-3); } .backend-4 { --look: var(--backend-4); }
.backend-5 { --look: var(--backend-5); } .backend-6 { --look: var(--backend-6); }
.peer-1 { --look: var(--peer-1); } .peer-2 { --look: var(--peer-2); }
.peer-3 { --look: var(--peer-3); } .peer-4 { --look: var(--peer-4); }
.peer-5 { --look: var(--peer-5); } .peer-6 { --look: var(--peer-6); }
@media (min-width: 56rem) {
  .facts { grid-template-columns: max-content 1fr max-content 1fr; }
}
@media (max-width: 34rem) {
  main { padding: 1.5rem 1rem 3rem; }
  h1 { font-size: 1.6rem; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: .4rem; }
  figure { padding: .8rem .8rem .3rem; }
  section > .wide { padding-inline: .8rem; }
  tbody th { min-width: 7.5rem; }
}
@media print {
  :root { color-scheme: light; --page: #fff; --card: #fff; --ink: #000; --soft: #444; }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  h2 { break-after: avoid; }
  figure, tr { break-inside: avoid; }
  .charts { grid-template-columns: 1fr 1fr; }
}
"""
"""Light and dark, for a screen of any width and for paper; it loads nothing.

Text has a contrast of at least 4.5 to 1 with what is behind it, what is drawn 3 to 1 (WCAG 2, level
AA). Colours come with names, shapes or dashes, so that nobody needs to tell them apart.
"""
