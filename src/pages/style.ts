import { COLOR_STYLE } from "./colors.ts";

/** One style sheet for every page: system fonts, both colour schemes, tables that scroll on their own when narrow. */
export const PAGE_STYLE = `${COLOR_STYLE}* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: .95rem; margin: 1.5rem 0 .5rem; }
h4 { font-size: .9rem; margin: 1.25rem 0 .5rem; }
p { margin: .25rem 0; }
.soft { color: var(--soft); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 1.25rem 0 0; padding: 0; }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .55rem .8rem; }
.figures dt { color: var(--soft); font-size: .85rem; }
.figures dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem; border-top: 1px solid var(--line); }
thead td { border: 0; } thead th { border-top: 0; color: var(--soft); font-weight: 500; white-space: nowrap; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.place { white-space: nowrap; font-family: ui-monospace, monospace; font-size: .85em; font-weight: 400; }
.hash { display: inline-block; max-width: 13ch; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; vertical-align: bottom; font-family: ui-monospace, monospace; font-size: .85em; }
.excerpt { min-width: 14rem; color: var(--soft); overflow-wrap: anywhere; }
@media (max-width: 40rem) { .findings thead { display: none; } .findings td { display: block; border: 0; padding: .1rem .75rem; }
  .findings tr { display: block; padding: .5rem 0; border-top: 1px solid var(--line); } .findings tr:first-child { border: 0; }
  .findings .place { display: inline-block; white-space: normal; overflow-wrap: anywhere; } .findings .excerpt:empty { display: none; } }
.findings .kind th { padding-top: .9rem; } .level { margin-left: .75rem; font-weight: 400; }
.error { color: var(--bad); } .warn { color: var(--warn); } .good { color: var(--good); } .off { color: var(--soft); }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .9rem; }
figcaption { margin-bottom: .5rem; }
svg { display: block; width: 100%; height: auto; }
svg rect { fill: var(--bar); } svg rect.earlier { fill: var(--soft); } svg text { fill: var(--soft); font: 11px system-ui, sans-serif; } svg line { stroke: var(--line); }
.histogram, .bar-chart { max-width: 34rem; }
.bar-chart text { font-size: 14px; } .bar-chart text.name { fill: var(--ink); }
@media (max-width: 40rem) { .histogram text { font-size: 14px; } }
.small { font-size: .85rem; margin-top: .5rem; }
.measured th:first-child { position: sticky; left: 0; background: var(--card) padding-box; white-space: nowrap; }
.measured td.n { vertical-align: baseline; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: .75rem; }
`;
