import { count, ratio, share } from "../../lib/text/format.ts";
import { Html, html, type Part } from "../../lib/text/html.ts";
import { PAGE_STYLE } from "../../lib/text/page_style.ts";
import { type Bar, barChart } from "./bar_chart.ts";
import { type ComparedCell, type Comparison, COSTS } from "./comparison.ts";
import { COST_TEXT, hasScore, quality, whyNot, written } from "./cost_text.ts";

const STYLE = `${PAGE_STYLE}
.small { font-size: .85rem; margin-top: .5rem; }
svg text { font-size: 13px; } svg text.name { fill: var(--ink); } svg rect.earlier { fill: var(--soft); }
th:first-child { position: sticky; left: 0; background: var(--card) padding-box; white-space: nowrap; } td.n { vertical-align: baseline; }
`;
/** Costs that are drawn as well. */
const DRAWN = ["memory", "train", "weights"] as const;

/** The comparison as one file that needs nothing else. */
export function comparisonHtml(comparison: Comparison): string {
  const done = comparison.cells.filter(({ state }) => state === "done");
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <title>${comparison.name}: comparison</title>
        <style>${new Html(STYLE)}</style>
      </head>
      <body>
        <main>
    <h1>${comparison.name}: comparison</h1>
    <p class="soft">${about(comparison)}</p>
    ${done.length > 0 ? charts(comparison, done) : undefined}
    ${done.length > 0 ? absolute(comparison, done) : undefined}
    ${done.length > 1 ? relative(comparison, done) : undefined}
    ${unfinished(comparison)}
        </main>
      </body>
    </html>
  `.text;
}

function about({ metric, rows, cells }: Comparison): string {
  const done = cells.filter(({ state }) => state === "done").length;
  const scored = hasScore(metric) ? `${metric} on ` : "";
  const on = rows ? ` Measured: ${scored}${count(rows)} held-out rows.` : "";
  return `${done} of ${cells.length} combinations are done.${on}`;
}

function charts(comparison: Comparison, cells: readonly ComparedCell[]): Html {
  const costs = DRAWN.map((cost) => {
    const { what, write } = COST_TEXT[cost];
    return figure(
      `${what[0]?.toUpperCase()}${what.slice(1)}`,
      bars(cells, (cell) => cell.cost[cost], write),
      0,
    );
  });
  const { metric } = comparison;
  const score = hasScore(metric)
    ? figure(`${metric} after training, and thin below it before`, scoreBars(cells), 1)
    : undefined;
  return html`<h2>At a glance</h2>
<div class="charts">${score}${costs}</div>`;
}

function figure(caption: string, bars: readonly Bar[], most: number): Html | undefined {
  if (bars.length === 0) return undefined;
  return html`<figure><figcaption>${caption}</figcaption>${barChart(bars, caption, most)}</figure>`;
}

function bars(
  cells: readonly ComparedCell[],
  valueOf: (cell: ComparedCell) => number | undefined,
  write: (value: number) => string,
): Bar[] {
  return cells.flatMap((cell) => {
    const value = valueOf(cell);
    return value === undefined ? [] : [{ label: cell.cell, value, text: write(value) }];
  });
}

function scoreBars(cells: readonly ComparedCell[]): Bar[] {
  const before = new Map(cells.map(({ cell, scores }) => [cell, scores.before]));
  return bars(cells, ({ scores }) => scores.after, share).map((bar) => {
    const value = before.get(bar.label);
    return value === undefined ? bar : { ...bar, earlier: { value, text: share(value) } };
  });
}

function absolute({ metric }: Comparison, cells: readonly ComparedCell[]): Html {
  const names = hasScore(metric) ? ["before", "after"] : ["loss before", "loss after"];
  const rows = cells.map((cell) => {
    const { before, after } = quality(cell.scores);
    return html`<tr>${rowName(cell)}${
      COSTS.map((name) => number(written(cell.cost[name], COST_TEXT[name].write)))
    }${number(before)}${number(after)}</tr>`;
  });
  const key = COSTS.map((cost) => `${COST_TEXT[cost].title}: ${COST_TEXT[cost].what}`).join("; ");
  return html`<h2>Measured</h2>
${table(names, rows)}
<p class="soft small">${key}.</p>`;
}

function relative({ reference }: Comparison, cells: readonly ComparedCell[]): Html {
  const rows = cells.map((cell) =>
    html`<tr>${rowName(cell)}${COSTS.map((name) => number(written(cell.relative?.[name], ratio)))}${
      number(written(cell.relative?.quality, ratio))
    }</tr>`
  );
  return html`<h2>Relative to ${reference}</h2>
${table(["quality"], rows)}`;
}

function rowName({ cell, name, values }: ComparedCell): Html {
  const given = Object.entries(values).map(([path, value]) => `${path}: ${JSON.stringify(value)}`);
  return html`<th scope="row" title="${[name, ...given].join("\n")}">${cell}</th>`;
}

function number(text: string): Html {
  return html`<td class="n">${text}</td>`;
}

function table(more: readonly string[], rows: readonly Part[]): Html {
  const costs = COSTS.map((cost) =>
    html`<th scope="col" class="n" title="${COST_TEXT[cost].what}">${COST_TEXT[cost].title}</th>`
  );
  return html`
    <div class="scroll" tabindex="0">
      <table>
        <thead>
          <tr><th></th>${costs}${more.map((name) => html`<th scope="col" class="n">${name}</th>`)}</tr>
        </thead>
        <tbody>${rows}</tbody>
      </table>
    </div>
  `;
}

function unfinished({ cells }: Comparison): Html | undefined {
  const items = cells.flatMap((cell) => {
    const why = whyNot(cell);
    if (why === undefined) return [];
    const words = cell.error ? html`: <span class="error">${cell.error.message}</span>` : undefined;
    const hint = cell.error?.hint === undefined
      ? undefined
      : html`<br><span class="soft">${cell.error.hint}</span>`;
    return [html`<li><strong>${cell.cell}</strong> ${why}${words}${hint}</li>`];
  });
  return items.length === 0 ? undefined : html`<h2>Not done</h2>
<ul>${items}</ul>`;
}
