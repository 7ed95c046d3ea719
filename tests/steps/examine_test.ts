import assert from "../deps/assert.ts";
import { UsageError } from "../../src/lib/errors.ts";
import type { Fs } from "../../src/lib/files/fs.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import type { LoadedSpec } from "../../src/spec/load.ts";
import type { FieldProblem } from "../../src/spec/rules/field_problem.ts";
import { examine } from "../../src/steps/examine.ts";
import { Bench, jsonl } from "./drive.ts";

const COLUMNS = { format: "columns", columns: { user: "{{ question }}", assistant: "{{ answer }}" } };

function sums(count: number, change: (row: Record<string, unknown>, i: number) => void = () => {}) {
  return jsonl(Array.from({ length: count }, (_, i) => {
    const row: Record<string, unknown> = { question: `${i} + ${i}?`, answer: String(2 * i) };
    change(row, i);
    return row;
  }));
}

/** What was found: the field, whether it stops, and the first rows. */
function outline(problems: readonly FieldProblem[]) {
  return problems.map(({ path, severity = "error", rows }) => [
    path.join("."),
    severity,
    ...(rows?.first ?? []).map(({ origin }) => origin),
  ]);
}

async function found(bench: Bench, loaded: LoadedSpec, mostBytes?: number) {
  return await examine(loaded, bench.env, mostBytes);
}

Deno.test("examine() finds nothing in rows that are fine, and says how many there were", async () => {
  await using bench = await Bench.open({ "rows.jsonl": sums(7) });
  const { problems, read, formatted } = await found(
    bench,
    bench.pipeline({ source: "rows.jsonl", ...COLUMNS }),
  );
  assert.deepEqual(problems, []);
  assert.match(read, /^7 rows/);
  const written = await formatted!.fs.readText(`${formatted!.dir}/train.jsonl`);
  assert.equal(written.trimEnd().split("\n").length, 7);
});

Deno.test("examine() writes nothing", async () => {
  await using bench = await Bench.open({ "rows.jsonl": sums(30) });
  const never = (name: string) => () => {
    throw new UsageError("written", `${name} was called`);
  };
  const names = [
    "mkdirp",
    "writeAtomic",
    "create",
    "append",
    "rename",
    "remove",
    "claimDir",
    "linkOrCopy",
  ] as const;
  const fs: Fs = { ...denoFs, ...Object.fromEntries(names.map((name) => [name, never(name)])) };
  const loaded = bench.pipeline({ source: "rows.jsonl", ...COLUMNS, split: { eval: 5 } });
  const { problems } = await examine(loaded, { ...bench.env, fs });
  assert.deepEqual(problems, []);
});

Deno.test("examine() goes on behind misspelt columns, as they were probably meant", async () => {
  await using bench = await Bench.open({
    "rows.jsonl": sums(9, (row, i) => i === 4 && (row["answer"] = "")),
  });
  const columns = { user: "{{ qestion | optional }}", assistant: "{{ anwser }}" };
  const { problems } = await found(
    bench,
    bench.pipeline({ source: "rows.jsonl", format: "columns", columns }),
  );
  assert.deepEqual(outline(problems), [
    ["dataset.columns.user", "error"],
    ["dataset.checks.empty", "error", "rows.jsonl:5"],
  ]);
  assert.match(problems[0]!.message, /"qestion", did you mean "question".*"anwser", did you mean "answer"/);
});

Deno.test("examine() says that it stops where nothing shows what was meant", async () => {
  await using bench = await Bench.open({ "rows.jsonl": sums(3) });
  const columns = { user: "{{ zzzzzzzz }}", assistant: "{{ answer }}" };
  const { problems, read } = await found(
    bench,
    bench.pipeline({ source: "rows.jsonl", format: "columns", columns }),
  );
  assert.deepEqual(outline(problems), [["dataset.columns.user", "error"]]);
  assert.match(problems[0]!.hint ?? "", /not checked further/);
  assert.match(read, /not checked further/);
});

Deno.test("examine() reports a shape that it does not know, and checks the rows as proposed", async () => {
  await using bench = await Bench.open({
    "rows.jsonl": sums(6, (row, i) => i === 2 && (row["answer"] = "nan")),
  });
  const { problems } = await found(bench, bench.pipeline({ source: ["rows.jsonl"] }));
  assert.deepEqual(outline(problems), [
    ["dataset.source.0", "error"],
    ["dataset.checks.placeholders", "warning", "rows.jsonl:3"],
  ]);
});

Deno.test("examine() marks each mistake of the dataset where it stands, and all of them at once", async () => {
  const chat = (speaker: string) => ({
    messages: [{ role: speaker, content: "a" }, { role: "assistant", content: "b" }],
    topic: "x",
  });
  await using bench = await Bench.open({
    "chat.jsonl": jsonl([chat("custmer"), { ...chat("custmer"), topic: "y" }]),
    "more.jsonl": sums(3),
  });
  const { problems } = await found(
    bench,
    bench.pipeline({
      source: [
        { path: "chat.jsonl", roles: { customer: "user" } },
        {
          path: "more.jsonl",
          format: "columns",
          columns: { user: "{{ question }}", assistant: "{{ answr }}" },
        },
      ],
    }),
  );
  assert.deepEqual(outline(problems), [
    ["dataset.source.1.columns.assistant", "error"],
    ["dataset.source.0.roles.customer", "error"],
    ["dataset.checks.duplicates", "warning", "chat.jsonl:2"],
  ]);
});

Deno.test("examine() reports a field that a split goes by and no row has, and goes on", async () => {
  await using bench = await Bench.open({
    "rows.jsonl": sums(8, (row, i) => i === 0 && (row["answer"] = " ")),
  });
  const split = { eval: 2, by: "questoin" };
  const { problems } = await found(bench, bench.pipeline({ source: "rows.jsonl", ...COLUMNS, split }));
  assert.deepEqual(outline(problems), [
    ["dataset.split.by", "error"],
    ["dataset.checks.empty", "error", "rows.jsonl:1"],
  ]);
});

Deno.test("examine() reports lines that are no rows beside what is wrong with the others", async () => {
  await using bench = await Bench.open({
    "rows.jsonl": `${sums(2)}{"question": \n${jsonl([{ question: "q", answer: "None" }])}`,
  });
  const { problems } = await found(bench, bench.pipeline({ source: "rows.jsonl", ...COLUMNS }));
  assert.deepEqual(outline(problems), [
    ["dataset.source", "error", "rows.jsonl:3"],
    ["dataset.checks.placeholders", "warning", "rows.jsonl:4"],
  ]);
});

Deno.test("examine() reads the first rows of data that is too large, and says so", async () => {
  await using bench = await Bench.open({ "rows.jsonl": sums(20_000), "held.jsonl": sums(10) });
  const loaded = bench.pipeline({
    source: "rows.jsonl",
    eval: "held.jsonl",
    ...COLUMNS,
    checks: { leakage: "off" },
  });
  const { problems, formatted } = await found(bench, loaded, 40_000);
  assert.deepEqual(outline(problems), [["dataset", "warning"]]);
  assert.match(problems[0]!.message, /^Only the first [\d,]+ rows were read, \d+ kB of \d+ kB$/);
  assert.equal(formatted, undefined);
});

Deno.test("examine() does not call a speaker wrong that the rows it has not read may have", async () => {
  const turns = (speaker: string) => ({
    messages: [{ role: speaker, content: "a".repeat(50) }, { role: "assistant", content: "b" }],
  });
  const rows = [...Array.from({ length: 2000 }, (_, i) => turns(i < 1990 ? "user" : "customer"))];
  await using bench = await Bench.open({ "chat.jsonl": jsonl(rows) });
  const pipeline = bench.pipeline({
    source: "chat.jsonl",
    roles: { customer: "user" },
    checks: { duplicates: "off" },
  });
  const partly = await found(bench, pipeline, 10_000);
  assert.deepEqual(outline(partly.problems), [["dataset", "warning"]]);
  assert.deepEqual((await found(bench, pipeline)).problems, []);
});

Deno.test("examine() calls a row of more words than tokens fit too long, and one that may be so probable", async () => {
  const texts = ["word ".repeat(60), "x".repeat(300), "short"];
  await using bench = await Bench.open({
    "rows.jsonl": jsonl(texts.map((prompt) => ({ prompt, completion: "a" }))),
  });
  const loaded = bench.pipeline({ source: "rows.jsonl" });
  const spec = { ...loaded.spec, train: { ...loaded.spec.train, max_length: 50 } };
  const { problems } = await found(bench, { ...loaded, spec });
  assert.deepEqual(outline(problems), [
    ["dataset.checks.too_long", "error", "rows.jsonl:1"],
    ["train.max_length", "warning", "rows.jsonl:2"],
  ]);
  assert.match(problems[0]!.rows!.first[0]!.problem, /at least 61 tokens/);
});

Deno.test("examine() counts the tokens of rows for a service, which are not estimated", async () => {
  const texts = ["word ".repeat(60), "x y ".repeat(10)];
  await using bench = await Bench.open({
    "rows.jsonl": jsonl(texts.map((prompt) => ({ prompt, completion: "a" }))),
  });
  const loaded = bench.pipeline({ source: "rows.jsonl" }, {
    kind: "openai",
    base: "gpt-4.1-nano-2025-04-14",
  });
  const spec = { ...loaded.spec, train: { ...loaded.spec.train, max_length: 60 } };
  const { problems } = await found(bench, { ...loaded, spec, given: { train: { max_length: 60 } } });
  assert.deepEqual(outline(problems), [["dataset.checks.too_long", "error", "rows.jsonl:1"]]);
  assert.match(problems[0]!.rows!.first[0]!.problem, /^has \d+ tokens$/);
});
