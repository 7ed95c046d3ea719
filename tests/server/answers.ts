import { join } from "../../src/deps/path.ts";
import { DONE, type Site } from "./kit.ts";

interface Row {
  readonly question: string;
  readonly expected: string;
  readonly before?: string | null;
  readonly after?: string | null;
  readonly served?: string;
}

const LONG = Array.from({ length: 5_000 }, (_, i) => `word${i}`).join(" ");
/** One of each kind, and everything that a page could take for something else. */
export const ODD_ROWS: readonly Row[] = [
  {
    question: "turn on the hall light",
    expected: "light.on(hall)",
    before: "Sure! I will turn it on.",
    after: "light.on(hall)",
  },
  {
    question: "turn off the hall light",
    expected: "light.off(hall)",
    before: "light.on(kitchen)",
    after: "light.on(hall)",
    served: "light.off(kitchen)",
  },
  {
    question: "play jazz",
    expected: "music.play(jazz)",
    before: "music.play(jazz)",
    after: "music.stop(jazz)",
  },
  { question: "stop", expected: "music.stop()", before: "music.stop()", after: "music.stop()" },
  {
    question: "<script>alert(1)</script>",
    expected: "</td><img src=x onerror=alert(1)>",
    before: "<b>\n2",
    after: "</td><img src=y onerror=alert(1)>",
  },
  { question: "כבה את האור במסדרון", expected: "האור כבוי עכשיו", before: "", after: "האור דולק עכשיו" },
  {
    question: `=HYPERLINK("x")`,
    expected: `a "quoted", line\nand another\r\n`,
    before: null,
    after: ' =1+1, "q" ',
  },
  { question: LONG, expected: LONG, before: LONG.toUpperCase(), after: `${LONG} end` },
  { question: "half a character", expected: "\ud800", before: "", after: "" },
];

/** Writes the answers of a run, and the conversations that they belong to. */
export async function addAnswers(
  s: Pick<Site, "write">,
  id: string,
  rows: readonly Row[] = ODD_ROWS,
): Promise<void> {
  const lines = (values: readonly unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");
  const right = (text: string | null | undefined, expected: string) =>
    typeof text === "string" ? text === expected : null;
  const predictions = rows.map((
    { question, expected, before = null, after = null },
    row,
  ) => ({
    row,
    origin: originOf(row),
    question,
    prompt: `<|user|>${question}<|assistant|>`,
    expected,
    prompt_tokens: 7,
    before,
    "few_shot": null,
    after,
    before_ok: right(before, expected),
    "few_shot_ok": null,
    after_ok: right(after, expected),
  }));
  const served = rows.map(({ expected, after = null, served = after }, row) => ({
    row,
    trainer: after,
    served,
    served_ok: right(served, expected),
    same: served === after,
    prompt_tokens: 7,
    prompt_equal: true,
  }));
  const conversations = rows.map(({ question, expected }, row) => ({
    origin: originOf(row),
    messages: [
      { role: "system", content: "You control a home." },
      ...row === 0 ? EARLIER : [],
      { role: "user", content: question },
      { role: "assistant", content: expected },
    ],
    ...row === 0 && { tools: [TOOL] },
  }));
  await s.write(join(id, "job/artifacts/predictions.jsonl"), lines(predictions));
  await s.write(join(id, "steps/5-monitor/served.jsonl"), lines(served));
  await s.write(join(id, "job/eval.jsonl"), lines(conversations));
}

export const originOf = (row: number) => `data/home.eval.jsonl:${row + 1}`;

const TOOL = {
  type: "function",
  function: { name: "rooms", description: "Lists the rooms", parameters: { type: "object", properties: {} } },
};
const EARLIER = [
  { role: "user", content: "Which rooms are there?" },
  {
    role: "assistant",
    content: "",
    reasoning_content: "I have to look them up.",
    tool_calls: [{ id: "c1", type: "function", function: { name: "rooms", arguments: '{"floor":1}' } }],
  },
  { role: "tool", content: '["hall","kitchen"]', tool_call_id: "c1" },
  { role: "assistant", content: "Hall and kitchen.", weight: 0 },
];

/** A finished run with these answers. */
export async function addAnswered(s: Site, id: string, rows?: readonly Row[]): Promise<string> {
  const dir = await s.addRun(id, DONE);
  await addAnswers(s, id, rows);
  return dir;
}
