/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { count } from "../../../src/lib/text/format.ts";
import { type DifferencePart, wordDifference } from "../../../src/lib/text/word_difference.ts";
import { questionOf, type ServedAnswer } from "../../../src/log/predictions.ts";
import type { AnswerRow } from "../../answers/answer_rows.ts";
import type { Conversation } from "../../answers/conversation.ts";
import { FullConversation, FullPrompt } from "./conversation.tsx";

/** Of a text as a page shows it: one row must not fill the page, nor slow it down. Downloads have all of it. */
const MOST_TEXT = 4000;
/** More than this scrolls in its own frame. */
const LONG = 500;

interface AnswerTableRowProps {
  readonly row: AnswerRow;
  readonly hasFewShot: boolean;
  readonly conversation: Conversation | undefined;
}

/** One held-out row: what was asked and answered, and below it where it is from, with the whole conversation. */
export function AnswerTableRow({ row, hasFewShot, conversation }: AnswerTableRowProps) {
  const { prediction, served } = row;
  const { expected, origin } = prediction;
  const about = { origin, expected };
  return (
    <tbody>
      <tr>
        <th scope="row">
          <Shown text={questionOf(prediction)} label={`Prompt of ${origin}`} />
        </th>
        <td data-label="Expected">
          <Shown text={expected} label={`Expected for ${origin}`} />
        </td>
        <Answer {...about} name="Before" text={prediction.before} ok={prediction.before_ok} />
        {hasFewShot
          ? <Answer {...about} name="Few-shot" text={prediction.few_shot} ok={prediction.few_shot_ok} />
          : null}
        <Answer {...about} name="After" text={prediction.after} ok={prediction.after_ok}>
          {served ? <Served served={served} trainer={prediction.after ?? ""} origin={origin} /> : null}
        </Answer>
      </tr>
      <tr class="origin">
        <td colspan={hasFewShot ? 5 : 4}>
          <span class="place">{origin}</span>
          {conversation
            ? <FullConversation conversation={conversation} />
            : prediction.question === undefined
            ? null
            : <FullPrompt text={cut(prediction.prompt)} />}
        </td>
      </tr>
    </tbody>
  );
}

interface AnswerProps {
  readonly name: string;
  readonly origin: string;
  readonly expected: string;
  readonly text: string | null | undefined;
  readonly ok: boolean | null | undefined;
  readonly children?: unknown;
}

function Answer({ name, origin, expected, text, ok, children }: AnswerProps) {
  const label = `${name}, ${origin}`;
  return (
    <td data-label={name} class={classOf(ok)}>
      <Verdict ok={ok} />
      {text === null || text === undefined
        ? <span class="soft">–</span>
        : text === expected || expected === ""
        ? <Shown text={text} label={label} />
        : <Difference expected={expected} actual={text} label={label} />}
      {children}
    </td>
  );
}

function classOf(ok: boolean | null | undefined): string | undefined {
  return typeof ok !== "boolean" ? undefined : ok ? "good" : "bad";
}

function Verdict({ ok }: Pick<AnswerProps, "ok">) {
  if (typeof ok !== "boolean") return null;
  return (
    <>
      <span class="mark" aria-hidden="true">{ok ? "✓" : "✗"}</span>
      <span class="unseen">{ok ? "right:" : "wrong:"}</span>
      {" "}
    </>
  );
}

/** What the served model answers, where that is not the trainer's answer. */
function Served({ served, trainer, origin }: { served: ServedAnswer; trainer: string; origin: string }) {
  const { served: text, served_ok: ok, same, prompt_equal: equal } = served;
  if (same && equal !== false) return null;
  return (
    <div class={`served ${classOf(same ? undefined : ok) ?? ""}`}>
      <p class="soft">
        {same ? "Served the same, from another prompt than in training" : "Served differently"}
        {!same && equal === false ? ", from another prompt than in training" : ""}
      </p>
      {same ? null : (
        <>
          <Verdict ok={ok} />
          <Difference expected={trainer} actual={text ?? ""} label={`Served, ${origin}`} />
        </>
      )}
    </div>
  );
}

/** An answer, marked where it is not what it was compared with; as it is where they have little in common. */
function Difference({ expected, actual, label }: { expected: string; actual: string; label: string }) {
  const parts = wordDifference(
    expected.slice(0, MOST_TEXT).toWellFormed(),
    actual.slice(0, MOST_TEXT).toWellFormed(),
  );
  if (actual !== "" && !isAlike(parts)) return <Shown text={actual} label={label} />;
  const longest = Math.max(expected.length, actual.length);
  return (
    <Frame length={longest} label={label}>
      {actual === ""
        ? <span class="soft">(nothing)</span>
        : parts.map(({ kind, text }) =>
          kind === "same" ? text : kind === "missing" ? <del>{text}</del> : <ins>{text}</ins>
        )}
      <Rest length={longest} />
    </Frame>
  );
}

/** Marks help where a quarter of the letters is the same. */
function isAlike(parts: readonly DifferencePart[]): boolean {
  const letters = { same: 0, missing: 0, added: 0 };
  for (const { kind, text } of parts) letters[kind] += text.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  const { same, missing, added } = letters;
  return same > 0 && 4 * same >= same + Math.max(missing, added);
}

function Shown({ text, label }: { text: string; label: string }) {
  return (
    <Frame length={text.length} label={label}>
      {text === "" ? <span class="soft">(nothing)</span> : cut(text)}
      <Rest length={text.length} />
    </Frame>
  );
}

/** A text in its own direction and with its own line breaks; a long one scrolls, also by keyboard. */
function Frame({ length, label, children }: { length: number; label: string; children?: unknown }) {
  return length > LONG
    ? <div class="text long" dir="auto" tabindex={0} role="group" aria-label={label}>{children}</div>
    : <div class="text" dir="auto">{children}</div>;
}

function Rest({ length }: { length: number }) {
  if (length <= MOST_TEXT) return null;
  return <span class="soft">{` … ${count(length - MOST_TEXT)} more characters: see the download`}</span>;
}

function cut(text: string): string {
  return text.slice(0, MOST_TEXT).toWellFormed();
}
