/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { count } from "../../src/lib/text/format.ts";
import { type ChangeKind, CHANGES, type Prediction, questionOf } from "../../src/log/predictions.ts";
import type { RunState } from "../../src/log/run_state.ts";
import type { Part, PredictionPage, PredictionQuery } from "../run_files.ts";

const TITLES: { readonly [C in ChangeKind]: string } = {
  fixed: "fixed",
  "still_wrong": "still wrong",
  broken: "newly broken",
  "still_right": "still right",
};

interface AnswersProps {
  readonly id: string;
  readonly part: Part<PredictionPage>;
  readonly query: PredictionQuery;
  readonly state: RunState;
}

/** Held-out rows with the answers before and after, side by side. */
export function Answers({ id, part: { value, problem }, query }: AnswersProps) {
  if (problem !== undefined) return <p class="error">{problem}</p>;
  if (!value) return null;
  const hasFewShot = value.rows.some((row) => typeof row.few_shot === "string");
  return (
    <section aria-labelledby="answers">
      <h2 id="answers">Answers before and after</h2>
      <ul class="states" aria-label="Rows by outcome">
        <li>
          <a href={answersPath(id)} aria-current={query.change === undefined ? "true" : undefined}>all</a>
        </li>
        {CHANGES.map((change) => (
          <li>
            <a href={answersPath(id, change)} aria-current={query.change === change ? "true" : undefined}>
              {TITLES[change]} <b>{count(value.counts[change])}</b>
            </a>
          </li>
        ))}
      </ul>
      {value.rows.length === 0
        ? <p class="empty">No rows of this kind.</p>
        : (
          <div class="scroll" tabindex={0} role="group" aria-label="Answers">
            <table class="answers">
              <thead>
                <tr>
                  <th scope="col">Prompt</th>
                  <th scope="col">Before</th>
                  {hasFewShot ? <th scope="col">Few-shot prompting</th> : null}
                  <th scope="col">After</th>
                  <th scope="col">Expected</th>
                </tr>
              </thead>
              <tbody>{value.rows.map((row) => <Row row={row} hasFewShot={hasFewShot} />)}</tbody>
            </table>
          </div>
        )}
      <AnswerPages id={id} query={query} total={value.total} />
    </section>
  );
}

function Row({ row, hasFewShot }: { row: Prediction; hasFewShot: boolean }) {
  return (
    <tr>
      <th scope="row">
        {questionOf(row)}
        <span class="id">{row.origin}</span>
      </th>
      <Answer label="Before" text={row.before} ok={row.before_ok} />
      {hasFewShot ? <Answer label="Few-shot prompting" text={row.few_shot} ok={row.few_shot_ok} /> : null}
      <Answer label="After" text={row.after} ok={row.after_ok} />
      <td data-label="Expected">{row.expected}</td>
    </tr>
  );
}

function Answer(
  { label, text, ok }: { label: string; text: string | null | undefined; ok: boolean | null | undefined },
) {
  const verdict = ok === true ? "good" : ok === false ? "bad" : "";
  return (
    <td data-label={label} class={verdict}>
      {typeof ok === "boolean"
        ? (
          <>
            <span class="mark" aria-hidden="true">{ok ? "✓" : "✗"}</span>
            <span class="unseen">{ok ? "right:" : "wrong:"}</span>
          </>
        )
        : null} {text === "" ? <span class="soft">(nothing)</span> : text ?? <span class="soft">–</span>}
    </td>
  );
}

function AnswerPages({ id, query, total }: { id: string; query: PredictionQuery; total: number }) {
  const pages = Math.ceil(total / query.perPage);
  if (pages <= 1) return null;
  return (
    <nav class="pages" aria-label="Pages of answers">
      {query.page > 1
        ? <a rel="prev" href={answersPath(id, query.change, query.page - 1)}>← Previous</a>
        : null}
      <span class="soft">Page {count(query.page)} of {count(pages)}</span>
      {query.page < pages
        ? <a rel="next" href={answersPath(id, query.change, query.page + 1)}>Next →</a>
        : null}
    </nav>
  );
}

function answersPath(id: string, change?: ChangeKind, page = 1): string {
  const words = new URLSearchParams();
  if (change !== undefined) words.set("change", change);
  if (page > 1) words.set("rows", String(page));
  return `/runs/${encodeURIComponent(id)}${words.size === 0 ? "" : `?${words}`}#answers`;
}
