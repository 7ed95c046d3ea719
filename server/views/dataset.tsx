/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { bytes, count } from "../../src/lib/text/format.ts";
import type { DataReport, SetReport } from "../data_report.ts";
import type { Part } from "../run_files.ts";
import { Figure } from "./parts.tsx";

/** What became of the dataset's rows. */
export function Dataset({ part: { value, problem } }: { part: Part<DataReport> }) {
  if (problem !== undefined) return <p class="error">{problem}</p>;
  if (!value) return null;
  const unused = value.sources.reduce((sum, source) => sum + source.unused, 0);
  return (
    <section aria-labelledby="data">
      <h2 id="data">Data</h2>
      <p class="soft">Read as {value.train.format}, because {value.train.why}.</p>
      <dl class="figures">
        <Figure label="rows to train on">{count(value.train.rows)}</Figure>
        <Figure label="rows to evaluate">{value.eval ? count(value.eval.rows) : "none"}</Figure>
        <Figure label="rows left out">{count(unused)}</Figure>
        <Figure label="characters">{count(value.train.chars + (value.eval?.chars ?? 0))}</Figure>
      </dl>
      <div class="charts">
        <Histogram name="Train" set={value.train} />
        {value.eval ? <Histogram name="Eval" set={value.eval} /> : null}
      </div>
      <Checks report={value} />
      <Unused report={value} />
      <Sources report={value} />
    </section>
  );
}

function Checks({ report }: { report: DataReport }) {
  return (
    <div class="scroll" tabindex={0} role="group" aria-label="Checks">
      <table>
        <thead>
          <tr>
            <th scope="col">Check</th>
            <th scope="col">Severity</th>
            <th scope="col">Found</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(report.checks).map(([name, { severity, count: found, findings }]) => (
            <tr>
              <th scope="row">{name}</th>
              <td>{severity}</td>
              <td
                class={severity === "off"
                  ? "off"
                  : found === 0
                  ? "good"
                  : severity === "error"
                  ? "error"
                  : "warn"}
              >
                {severity === "off" ? "not looked for" : found === 0 ? "nothing" : count(found)}
                {findings.map(({ origin, problem }) => (
                  <span class="finding">
                    <span class="mono">{origin}</span> {problem}
                  </span>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What the rows say and nothing uses. */
function Unused({ report: { unused, moreUnused, ignored } }: { report: DataReport }) {
  const fields = unused ??
    Object.entries(ignored ?? {}).map(([field, rows]) => ({ field, count: rows, rows, why: undefined }));
  if (fields.length === 0) return null;
  return (
    <div class="scroll" tabindex={0} role="group" aria-label="Fields that are not used">
      <table>
        <thead>
          <tr>
            <th scope="col">Field that is not used</th>
            <th scope="col" class="n">Values</th>
            <th scope="col" class="n">Rows</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {fields.map((field) => (
            <tr>
              <th scope="row" class="place">{field.field}</th>
              <td class="n">{count(field.count)}</td>
              <td class="n">{count(field.rows)}</td>
              <td>{field.why ?? "nothing uses it"}</td>
            </tr>
          ))}
          {moreUnused && moreUnused.count > 0
            ? (
              <tr>
                <th scope="row">further fields</th>
                <td class="n">{count(moreUnused.count)}</td>
                <td class="n"></td>
                <td></td>
              </tr>
            )
            : null}
        </tbody>
      </table>
    </div>
  );
}

function Sources({ report }: { report: DataReport }) {
  return (
    <div class="scroll" tabindex={0} role="group" aria-label="Sources">
      <table>
        <thead>
          <tr>
            <th scope="col">Source</th>
            <th scope="col">Set</th>
            <th scope="col" class="n">Rows</th>
            <th scope="col" class="n">Used</th>
            <th scope="col" class="n">Size</th>
            <th scope="col">sha256</th>
          </tr>
        </thead>
        <tbody>
          {report.sources.map((source) => (
            <tr>
              <th scope="row" class="place">{source.path}</th>
              <td>{source.set}</td>
              <td class="n">{count(source.rows)}</td>
              <td class="n">{count(source.used)}</td>
              <td class="n">{bytes(source.bytes)}</td>
              <td class="place" title={source.sha256}>{source.sha256.slice(0, 12)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const [WIDTH, HEIGHT, FLOOR] = [440, 130, 108];

/** How many rows have which length. */
function Histogram({ name, set }: { name: string; set: SetReport }) {
  const { histogram, median, p90, longest } = set.lengths;
  const most = Math.max(1, ...histogram.map((bin) => bin.count));
  const step = WIDTH / Math.max(1, histogram.length);
  const label = `${name}: ${count(set.rows)} rows, median ${count(median)} characters, 90% up to ${
    count(p90)
  }, longest ${count(longest)}`;
  return (
    <figure class="histogram">
      <figcaption>
        <h3>{name} by length</h3>
        <span class="soft">median {count(median)}, 90% up to {count(p90)}, longest {count(longest)}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
        {histogram.map((bin, i) => {
          // A bar of few rows beside one of many must not vanish.
          const height = bin.count === 0
            ? 0
            : Math.max(1.5, Math.round(bin.count / most * (FLOOR - 4) * 10) / 10);
          return (
            <rect
              x={(i * step + 0.5).toFixed(1)}
              y={FLOOR - height}
              width={Math.max(0.5, step - 1).toFixed(1)}
              height={height}
              rx={1}
            >
              <title>up to {count(bin.upTo)} characters: {count(bin.count)}</title>
            </rect>
          );
        })}
        <line x1={0} x2={WIDTH} y1={FLOOR} y2={FLOOR} />
        <text x={0} y={HEIGHT - 6}>{histogram.length === 0 ? "" : count(histogram[0]!.upTo)}</text>
        <text x={WIDTH} y={HEIGHT - 6} text-anchor="end">
          {histogram.length === 0 ? "" : `${count(histogram.at(-1)!.upTo)} characters`}
        </text>
      </svg>
    </figure>
  );
}
