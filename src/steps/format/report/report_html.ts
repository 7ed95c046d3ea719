import { bytes, count } from "../../../lib/text/format.ts";
import { Html, html, type Part } from "../../../lib/text/html.ts";
import { PAGE_STYLE } from "../../../lib/text/page_style.ts";
import { type CheckName, CHECKS } from "../checks/findings.ts";
import { histogramSvg } from "./histogram_svg.ts";
import { foundText } from "../checks/refuse.ts";
import type { Report, SetReport } from "./report.ts";

/** The same as report.json, for people: one file that needs nothing else. */
export function reportHtml(name: string, report: Report): string {
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <title>${name}: the dataset</title>
        <style>${new Html(PAGE_STYLE)}</style>
      </head>
      <body>
        <main>
    ${head(name, report)}
    <h2>Checks</h2>
    ${checksTable(report)}
    ${CHECKS.map((check) => findingsTable(check, report))}
    <h2>Lengths</h2>
    <div class="charts">${chart("Train", report.train)}${report.eval
      ? chart("Eval", report.eval)
      : undefined}</div>
    <h2>Turns</h2>
    ${turnsTable(report)}
    <h2>Sources</h2>
    ${sourcesTable(report)}
    ${unusedTable(report)}
        </main>
      </body>
    </html>
  `.text;
}

function head(name: string, { train, eval: evaluation, split, sources }: Report): Html {
  const unused = sources.reduce((sum, source) => sum + source.unused, 0);
  return html`<h1>${name}: the dataset</h1>
<p class="soft">Read as ${train.format}, because ${train.why}.</p>
${
    evaluation && !split
      ? html`<p class="soft">Eval is read as ${evaluation.format}, because ${evaluation.why}.</p>`
      : undefined
  }
${splitText(split)}
<dl class="figures">
${figure("rows to train on", count(train.rows))}
${figure("rows to evaluate", evaluation ? count(evaluation.rows) : "none")}
${figure("rows left out", count(unused))}
${figure("characters", count(train.chars + (evaluation?.chars ?? 0)))}
</dl>`;
}

function figure(label: string, value: string): Html {
  return html`
    <div>
      <dt>${label}</dt>
      <dd>${value}</dd>
    </div>
  `;
}

function splitText(split: Report["split"]): Html | undefined {
  if (!split) return undefined;
  const together = split.by === null ? "the same input" : `the same "${split.by}"`;
  return html`
    <p
      class="soft">Held out: ${count(split.held)} rows (${percent(split.share)}), asked for ${split.wanted < 1
        ? percent(split.wanted)
        : count(split.wanted)}; seed ${split.seed}. Rows with ${together} stay on one side.</p>
  `;
}

function checksTable({ checks }: Report): Html {
  const rows = CHECKS.map((check) => {
    const { severity, count: found } = checks[check];
    const [style, words] = severity === "off"
      ? ["off", "not looked for"]
      : found === 0
      ? ["good", "nothing found"]
      : [severity, foundText(check, found)];
    return html`
      <tr>
        <th scope="row">${check}</th>
        <td>${severity}</td>
        <td class="${style}">${words}</td>
      </tr>
    `;
  });
  return table(["check", "severity", "found"], rows);
}

function findingsTable(check: CheckName, { checks }: Report): Html | undefined {
  const { count: found, findings } = checks[check];
  if (findings.length === 0) return undefined;
  const rows = findings.map(({ origin, field, problem, excerpt }) =>
    html`
      <tr>
        <td class="place">${origin}</td>
        <td class="place">${field}</td>
        <td>${problem}</td>
        <td class="excerpt">${excerpt}</td>
      </tr>
    `
  );
  const shown = found > findings.length ? `, the first ${findings.length} of ${count(found)}` : "";
  return html`<h3>${check}${shown}</h3>
<div class="findings">${table(["row", "field", "problem", "text"], rows)}</div>`;
}

function chart(name: string, { lengths, rows }: SetReport): Html {
  const caption = `${name}: ${count(rows)} rows`;
  if (rows === 0) {
    return html`
      <figure>
        <figcaption>${caption}</figcaption>
      </figure>
    `;
  }
  return html`<figure><figcaption>${caption}<br><span class="soft">median ${
    count(lengths.median)
  }, 90% up to ${count(lengths.p90)}, 99% up to ${count(lengths.p99)}, longest ${
    count(lengths.longest)
  }</span></figcaption>
${histogramSvg(lengths.histogram, `${caption} by length`)}</figure>`;
}

function turnsTable({ train, eval: evaluation }: Report): Html {
  const sets = [["train", train], ["eval", evaluation]] as const;
  const roles = Object.keys(train.turns);
  const rows = sets.flatMap(([name, set]) =>
    set
      ? [
        html`<tr><th scope="row">${name}</th>${roles.map((role) => number(set.turns[role] ?? 0))}${
          number(set.chars)
        }</tr>`,
      ]
      : []
  );
  return table(["set", ...roles, "characters"], rows, 1);
}

function sourcesTable({ sources }: Report): Html {
  const rows = sources.map(({ path, set, format, why, rows, used, unused, bytes: size, sha256 }) =>
    html`<tr><td class="place">${path}</td><td>${set}</td><td title="${why}">${format}</td>${number(rows)}${
      number(used)
    }${number(unused)}<td class="n">${bytes(size)}</td><td class="place" title="${sha256}">${
      sha256.slice(0, 12)
    }</td></tr>`
  );
  return table(["file", "set", "format", "rows", "used", "left out", "size", "sha256"], rows, 3, 7);
}

function unusedTable({ unused, moreUnused }: Report): Html | undefined {
  if (unused.length === 0) return undefined;
  const rows = unused.map(({ field, count: n, rows, why }) =>
    html`<tr><td class="place">${field}</td>${number(n)}${number(rows)}<td>${why ?? ""}</td></tr>`
  );
  const more = moreUnused.count === 0
    ? undefined
    : html`<p class="soft">and ${count(moreUnused.count)} values in further fields</p>`;
  return html`<h2>Fields that are not used</h2>
<p class="soft">The rows are used without them: no example holds what they say.</p>
${table(["field", "values", "rows", "why"], rows, 1, 3)}
${more}`;
}

/** `from` and `to`: the columns that hold numbers. */
function table(names: readonly string[], rows: readonly Part[], from = Infinity, to = Infinity): Html {
  const head = names.map((name, i) =>
    html`
      <th scope="col" ${i >= from && i < to ? new Html(' class="n"') : undefined}>${name}</th>
    `
  );
  return html`
    <div class="scroll" tabindex="0">
      <table>
        <thead>
          <tr>${head}</tr>
        </thead>
        <tbody>
    ${rows}
        </tbody>
      </table>
    </div>
  `;
}

function number(n: number): Html {
  return html`<td class="n">${count(n)}</td>`;
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10}%`;
}
