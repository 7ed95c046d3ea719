import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { good, load, marked, problemsOf, withFolder } from "./kit.ts";

/** GOOD with another dataset section, given on one line. */
function withDataset(dataset: string): string {
  const text = good("dataset:", `dataset: ${dataset}`);
  return text.replace(/\n {2}source:[^]*?\n(?=method:)/, "\n");
}

/** What is wrong with a dataset, as `message | marked | hint`. */
async function words(dir: string, dataset: string): Promise<string[]> {
  const problems = await problemsOf(dir, withDataset(dataset));
  return problems.map((problem) => [problem.message, marked(problem), problem.hint ?? "-"].join(" | "));
}

const COLUMNS = 'columns: {user: "{{ command }}", assistant: "{{ action }}"}';
const FINE = [
  "{source: {path: rows.jsonl}, eval: [{path: held.jsonl, format: alpaca}]}",
  `{source: [rows.jsonl, {path: held.jsonl, format: columns, ${COLUMNS}}], split: {eval: 1}}`,
  `{source: [{path: rows.jsonl, format: columns}, {path: held.jsonl, format: alpaca}], ${COLUMNS}, split: {eval: 1}}`,
  `{source: {path: rows.jsonl, ${COLUMNS}}, format: columns, split: {eval: 1}}`,
  "{source: {path: t.csv, delimiter: ';', quote: none, encoding: utf-16}, split: {eval: 1}}",
  'source: {path: t.tsv, quote: "\\"", encoding: shift_jis}, split: {eval: 1}'.replace(/^/, "{") + "}",
  "{source: rows.jsonl, eval: held.jsonl, roles: {customer: user, agent: assistant}}",
];
const FORMATS = "auto, messages, prompt-completion, preference, alpaca, sharegpt or columns";
const WRONG: [dataset: string, expected: string][] = [
  [
    "{source: {path: rows.jsonl, frmat: alpaca}, eval: held.jsonl}",
    'Unrecognized key "frmat" in dataset.source | frmat | did you mean "format"',
  ],
  [
    "{source: [{path: rows.jsonl, format: chat}], eval: held.jsonl}",
    'Wrong value for dataset.source.0.format: found "chat", expected auto, messages, prompt-completion, preference, alpaca, sharegpt or columns | chat | -',
  ],
  [
    `{source: rows.jsonl, format: column, ${COLUMNS}, eval: held.jsonl}`,
    `Wrong value for dataset.format: found "column", expected ${FORMATS} | column | did you mean "columns"`,
  ],
  [
    `{source: {path: rows.jsonl, format: column, ${COLUMNS}}, eval: held.jsonl}`,
    `Wrong value for dataset.source.format: found "column", expected ${FORMATS} | column | did you mean "columns"`,
  ],
  [
    `{source: {path: rows.jsonl, ${COLUMNS}}, format: column, eval: held.jsonl}`,
    `Wrong value for dataset.format: found "column", expected ${FORMATS} | column | did you mean "columns"`,
  ],
  [
    "{source: [{format: alpaca}], eval: held.jsonl}",
    'Missing key "path" in dataset.source.0 | {format: alpaca} | A file or a glob, relative to this file: .jsonl, .json, .csv, .tsv',
  ],
  [
    "{source: {path: gone.jsonl}, eval: held.jsonl}",
    'Cannot read "gone.jsonl": the file does not exist | gone.jsonl | did you mean "rows.jsonl"',
  ],
  [
    "{source: {path: rows.jsonl, roles: {bot: robot}}, eval: held.jsonl}",
    'Wrong value for dataset.source.roles.bot: found "robot", expected system, user, assistant or tool | robot | -',
  ],
  [
    "{source: {path: rows.jsonl, format: columns}, eval: held.jsonl}",
    'Missing key "columns" in dataset.source: its format is columns | columns | ' +
    'add columns: {user: "{{ question }}", assistant: "{{ answer }}"}',
  ],
  [
    `{source: [{path: rows.jsonl, format: alpaca, ${COLUMNS}}], eval: held.jsonl}`,
    'Unused key "columns" in dataset.source.0: its format is alpaca | columns | add format: columns, or remove it',
  ],
  [
    `{source: [{path: rows.jsonl, format: columns, columns: {user: "{{ a", assistant: "{{ b }}"}}], eval: held.jsonl}`,
    'Invalid template in dataset.source.0.columns.user: "{{" has no partner; a field is written {{ name }} | "{{ a" | -',
  ],
  [
    "{source: {path: t.csv, encoding: utf-99}, eval: held.jsonl}",
    'Wrong value for dataset.source.encoding: found "utf-99", not a known encoding | utf-99 | ' +
    "such as utf-8, utf-16, windows-1252, iso-8859-15, shift_jis, gb18030",
  ],
  [
    "{source: {path: rows.jsonl, delimiter: ';'}, eval: held.jsonl}",
    'Unused key "delimiter" in dataset.source: JSON has none | delimiter | remove it',
  ],
  [
    "{source: {path: t.csv, delimiter: ';;'}, eval: held.jsonl}",
    "Wrong value for dataset.source.delimiter: found \";;\", expected at most 1 character | ';;' | -",
  ],
  [
    "{source: {path: t.csv, delimiter: '\"', quote: '\"'}, eval: held.jsonl}",
    "Conflicting value of dataset.source.quote: it is the delimiter too | '\"' | -",
  ],
  [
    '{source: {path: t.csv, delimiter: "\\n"}, eval: held.jsonl}',
    'Wrong value for dataset.source.delimiter: a line break ends a row | "\\n" | -',
  ],
  [
    "{source: rows.jsonl, format: alpaca, roles: {a: user}, eval: held.jsonl}",
    'Unused key "roles" in dataset: format alpaca has no speaker names | roles | remove it',
  ],
  [
    "{source: [rows.jsonl, ./rows.jsonl], eval: held.jsonl}",
    'Cannot read a file twice: "DIR/rows.jsonl" is listed as "rows.jsonl" and as "./rows.jsonl" | ./rows.jsonl | ' +
    "list each file once: rows read twice count double",
  ],
];

async function withTables(use: (dir: string) => Promise<void>): Promise<void> {
  await withFolder(async (dir) => {
    for (const name of ["t.csv", "t.tsv"]) await Deno.writeTextFile(join(dir, name), "a,b\n1,2\n");
    await use(dir);
  });
}

Deno.test("loadSpec() takes sources that say how they are read", async () => {
  await withTables(async (dir) => {
    for (const dataset of FINE) assert.deepEqual(await words(dir, dataset), [], dataset);
    const { ok } = await load(dir, withDataset(FINE[0]!));
    assert.ok(ok);
  });
});

for (const [dataset, expected] of WRONG) {
  Deno.test(`loadSpec() refuses ${dataset}`, async () => {
    await withTables(async (dir) => {
      const found = (await words(dir, dataset)).map((text) => text.replaceAll(dir, "DIR"));
      assert.deepEqual(found, [expected]);
    });
  });
}
