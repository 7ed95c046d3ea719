/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { count, counted } from "../../../src/lib/text/format.ts";
import { type AnswerFilter, type AnswerQuery, answersFile, answersPath } from "../../answers/answer_query.ts";
import type { AnswerPage, AnswerRow } from "../../answers/answer_rows.ts";
import type { Conversation } from "../../answers/conversation.ts";
import type { Part } from "../../run_files.ts";
import { AnswerTableRow } from "./answer_row.tsx";

const TITLES: { readonly [F in AnswerFilter]: string } = {
  fixed: "fixed",
  "still_wrong": "still wrong",
  broken: "newly broken",
  "still_right": "still right",
  right: "right",
  wrong: "wrong",
  "served_differently": "served differently",
};
/** By what the rows can be told apart: where the base was scored too, and where it was not. */
const COMPARED = ["right", "fixed", "still_wrong", "broken", "still_right"] as const;
const SCORED = ["right", "wrong"] as const;

interface AnswersProps {
  readonly id: string;
  readonly part: Part<AnswerPage>;
  readonly conversations: Part<ReadonlyMap<string, Conversation>>;
  readonly query: AnswerQuery;
}

/** Held-out rows: what was expected, and what was answered before and after. */
export function Answers({ id, part: { value, problem }, conversations, query }: AnswersProps) {
  if (problem !== undefined) return <p class="error">{problem}</p>;
  if (!value) return null;
  const nothing = query.text === undefined ? "No rows of this kind." : `No row contains “${query.text}”.`;
  return (
    <section aria-labelledby="answers">
      <h2 id="answers">Answers before and after</h2>
      <Filters id={id} page={value} query={query} />
      {conversations.problem === undefined ? null : <p class="error">{conversations.problem}</p>}
      {value.rows.length === 0
        ? <p class="empty">{nothing}</p>
        : <AnswerTable rows={value.rows} conversations={conversations.value} />}
      <Pager id={id} query={query} total={value.total} />
    </section>
  );
}

interface AnswerTableProps {
  readonly rows: readonly AnswerRow[];
  readonly conversations: ReadonlyMap<string, Conversation> | undefined;
}

function AnswerTable({ rows, conversations }: AnswerTableProps) {
  const hasFewShot = rows.some(({ prediction }) => typeof prediction.few_shot === "string");
  const columns = ["Prompt", "Expected", "Before", ...hasFewShot ? ["Few-shot"] : [], "After"];
  return (
    <>
      <p class="soft marked">
        Beside what was expected: <del>missing in the answer</del>, <ins>only in the answer</ins>.
      </p>
      <div class="scroll" tabindex={0} role="group" aria-label="Answers">
        <table class="answers">
          <thead>
            <tr>
              {columns.map((title) => <th scope="col">{title}</th>)}
            </tr>
          </thead>
          {rows.map((row) => (
            <AnswerTableRow
              row={row}
              hasFewShot={hasFewShot}
              conversation={conversations?.get(row.prediction.origin)}
            />
          ))}
        </table>
      </div>
    </>
  );
}

function Filters({ id, page, query }: { id: string; page: AnswerPage; query: AnswerQuery }) {
  const { counts, isServed, total } = page;
  const isCompared = COMPARED.some((kind) => kind !== "right" && counts[kind] > 0) ||
    (["fixed", "still_wrong", "broken", "still_right"] as const).some((kind) => kind === query.change);
  const kinds = [...isCompared ? COMPARED : SCORED, ...isServed ? ["served_differently"] as const : []];
  const { change, text } = query;
  return (
    <>
      <ul class="states" aria-label="Rows by outcome">
        {([undefined, ...kinds] as const).map((kind) => (
          <li>
            <a
              href={answersPath(id, { change: kind, text })}
              aria-current={change === kind ? "true" : undefined}
            >
              {kind === undefined ? "all" : TITLES[kind]} <b>{count(counts[kind ?? "all"])}</b>
            </a>
          </li>
        ))}
      </ul>
      <form class="filter find" method="get" action={`/runs/${encodeURIComponent(id)}#answers`} role="search">
        <label>
          <span>Text in the prompt or an answer</span>
          <input type="search" name="q" value={text ?? ""} maxlength={200} />
        </label>
        {change === undefined ? null : <input type="hidden" name="change" value={change} />}
        <button type="submit">Search</button>
        {text === undefined ? null : <a href={answersPath(id, { change })}>Clear</a>}
        <span class="downloads">
          {counted(total, "row")} as <a href={answersFile(id, "csv", query)} download>CSV</a>{" "}
          <a href={answersFile(id, "jsonl", query)} download>JSONL</a>
        </span>
      </form>
    </>
  );
}

function Pager({ id, query, total }: { id: string; query: AnswerQuery; total: number }) {
  const { page, perPage } = query;
  const pages = Math.ceil(total / perPage);
  if (pages <= 1 && page === 1) return null;
  const link = (to: number, text: string, rel?: string) => (
    <a rel={rel} href={answersPath(id, { ...query, page: to })}>{text}</a>
  );
  return (
    <nav class="pages" aria-label="Pages of answers">
      {page > 1 && pages > 1 ? link(1, "« First") : null}
      {page > 1 ? link(Math.min(page - 1, Math.max(1, pages)), "← Previous", "prev") : null}
      <span class="soft">Page {count(page)} of {count(pages)}</span>
      {page < pages ? link(page + 1, "Next →", "next") : null}
      {page < pages ? link(pages, "Last »") : null}
    </nav>
  );
}
