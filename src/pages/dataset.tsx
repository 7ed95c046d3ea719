/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { bytes, count } from "../lib/text/format.ts";
import { foundText } from "./check_text.ts";
import type { DataReport, SetReport } from "./data_report.ts";
import { Histogram } from "./histogram.tsx";
import { Cell, Figure, Hash, Heading, type Level, numbers, Table } from "./parts.tsx";
import { standAlone } from "./stand_alone.tsx";

/** The same as report.json, for people: one file. */
export function datasetPage(name: string, report: DataReport): string {
  return standAlone(`${name}: the dataset`, <Dataset report={report} level={2} />);
}

interface DatasetProps {
  readonly report: DataReport;
  /** Of its headings. */
  readonly level: 2 | 3;
}

/** The dataset report. */
export function Dataset({ report, level }: DatasetProps) {
  return (
    <>
      <HowRead report={report} />
      <Figures report={report} />
      <Heading level={level}>Checks</Heading>
      <Checks report={report} />
      <Findings report={report} level={level === 2 ? 3 : 4} />
      <Heading level={level}>Lengths</Heading>
      <div class="charts">
        <Lengths name="Train" set={report.train} />
        {report.eval ? <Lengths name="Eval" set={report.eval} /> : null}
      </div>
      {report.train.turns
        ? (
          <>
            <Heading level={level}>Turns</Heading>
            <Turns train={report.train} evaluation={report.eval} roles={Object.keys(report.train.turns)} />
          </>
        )
        : null}
      <Heading level={level}>Sources</Heading>
      <Sources report={report} />
      <Unused report={report} level={level} />
    </>
  );
}

function HowRead({ report: { train, eval: evaluation, split } }: { report: DataReport }) {
  return (
    <>
      <p class="soft">Read as {train.format}, because {train.why}.</p>
      {evaluation && !split
        ? <p class="soft">Eval is read as {evaluation.format}, because {evaluation.why}.</p>
        : null}
      {split ? <p class="soft">{splitText(split)}</p> : null}
    </>
  );
}

function splitText({ held, share, wanted, seed, by }: NonNullable<DataReport["split"]>): string {
  const asked = wanted === undefined ? "" : `, asked for ${wanted < 1 ? percent(wanted) : count(wanted)}`;
  const together = typeof by === "string" ? `the same "${by}"` : "the same input";
  return `Held out: ${count(held)} rows (${
    percent(share)
  })${asked}; seed ${seed}. Rows with ${together} stay on one side.`;
}

function Figures({ report: { train, eval: evaluation, sources } }: { report: DataReport }) {
  return (
    <dl class="figures">
      <Figure label="rows to train on">{count(train.rows)}</Figure>
      <Figure label="rows to evaluate">{evaluation ? count(evaluation.rows) : "none"}</Figure>
      <Figure label="rows left out">{count(sources.reduce((sum, { unused }) => sum + unused, 0))}</Figure>
      <Figure label="characters">{count(train.chars + (evaluation?.chars ?? 0))}</Figure>
    </dl>
  );
}

function Checks({ report: { checks } }: { report: DataReport }) {
  return (
    <Table label="Checks" columns={["check", "severity", "found"]}>
      {Object.entries(checks).map(([name, { severity, count: found }]) => {
        const [style, text] = severity === "off"
          ? ["off", "off"]
          : found === 0
          ? ["good", "nothing found"]
          : [severity, foundText(name, found)];
        return (
          <tr>
            <th scope="row">{name}</th>
            <td>{severity}</td>
            <td class={style}>{text}</td>
          </tr>
        );
      })}
    </Table>
  );
}

/** The first rows that each check found, those that stop a run before the others. */
function Findings({ report: { checks }, level }: { report: DataReport; level: Level }) {
  const some = Object.entries(checks).filter(([, { findings }]) => findings.length > 0)
    .sort(([, a], [, b]) => Number(b.severity === "error") - Number(a.severity === "error"));
  if (some.length === 0) return null;
  return (
    <>
      <Heading level={level}>Findings</Heading>
      <div class="findings">
        <Table label="Findings" columns={["row", "field", "problem", "text"]}>
          {some.map(([name, { severity, count: found, findings }]) => (
            <>
              <tr class="kind">
                <th scope="colgroup" colspan={4}>
                  {name}
                  {found > findings.length ? `, the first ${findings.length} of ${count(found)}` : ""}
                  <span class={`level ${severity}`}>{severity}</span>
                </th>
              </tr>
              {findings.map(({ origin, field, problem, excerpt }) => (
                <tr>
                  <td class="place">{origin}</td>
                  <td class="place">{field}</td>
                  <td>{problem}</td>
                  <td class="excerpt">{excerpt}</td>
                </tr>
              ))}
            </>
          ))}
        </Table>
      </div>
    </>
  );
}

function Lengths({ name, set: { lengths, rows } }: { name: string; set: SetReport }) {
  const { median, p90, p99, longest, histogram } = lengths;
  const caption = `${name}: ${count(rows)} rows`;
  if (rows === 0) {
    return (
      <figure>
        <figcaption>{caption}</figcaption>
      </figure>
    );
  }
  return (
    <figure>
      <figcaption>
        {caption}
        <br />
        <span class="soft">
          median {count(median)}, 90% up to {count(p90)}, 99% up to {count(p99)}, longest {count(longest)}
        </span>
      </figcaption>
      <Histogram bins={histogram} label={`${caption} by length`} />
    </figure>
  );
}

interface TurnsProps {
  readonly train: SetReport;
  readonly evaluation: SetReport | null;
  readonly roles: readonly string[];
}

function Turns({ train, evaluation, roles }: TurnsProps) {
  const sets = [["train", train] as const, ...evaluation ? [["eval", evaluation] as const] : []];
  return (
    <Table label="Turns" columns={["set", ...numbers(...roles, "characters")]}>
      {sets.map(([name, { turns, chars }]) => (
        <tr>
          <th scope="row">{name}</th>
          {roles.map((role) => <Cell>{turns?.[role] ?? 0}</Cell>)}
          <Cell>{chars}</Cell>
        </tr>
      ))}
    </Table>
  );
}

function Sources({ report: { sources } }: { report: DataReport }) {
  const columns = ["file", "set", "format", ...numbers("rows", "used", "left out", "size"), "sha256"];
  return (
    <Table label="Sources" columns={columns}>
      {sources.map(({ path, set, format, why, rows, used, unused, bytes: size, sha256 }) => (
        <tr>
          <th scope="row" class="place">{path}</th>
          <td>{set}</td>
          <td title={why}>{format}</td>
          <Cell>{rows}</Cell>
          <Cell>{used}</Cell>
          <Cell>{unused}</Cell>
          <Cell>{bytes(size)}</Cell>
          <td>
            <Hash value={sha256} what={`sha256 of ${path}`} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

/** Fields of the rows that nothing uses. */
function Unused({ report: { unused, moreUnused, ignored }, level }: DatasetProps) {
  const fields = unused ??
    Object.entries(ignored ?? {}).map(([field, rows]) => ({ field, count: rows, rows, why: undefined }));
  if (fields.length === 0) return null;
  return (
    <>
      <Heading level={level}>Unused fields</Heading>
      <p class="soft">The rows are used without these fields: no example contains their values.</p>
      <Table label="Unused fields" columns={["field", ...numbers("values", "rows"), "why"]}>
        {fields.map((field) => (
          <tr>
            <th scope="row" class="place">{field.field}</th>
            <Cell>{field.count}</Cell>
            <Cell>{field.rows}</Cell>
            <td>{field.why ?? "not used by this format"}</td>
          </tr>
        ))}
      </Table>
      {moreUnused && moreUnused.count > 0
        ? <p class="soft">and {count(moreUnused.count)} values in further fields</p>
        : null}
    </>
  );
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10}%`;
}
