import assert from "../deps/assert.ts";
import { check } from "../../src/commands/check.ts";
import { plan } from "../../src/commands/plan.ts";
import { SpecError } from "../../src/spec/spec_error.ts";
import { jsonl, refusal } from "../steps/drive.ts";
import { temper } from "./cli_kit.ts";
import { type Project, project } from "./run_kit.ts";

const PIPELINE = `version: 1
name: sums
dataset:
  source: rows.jsonl
  eval: held.jsonl
  format: columns
  columns:
    user: "{{ question }}"
    assistant: "{{ answer }}"
method: {kind: lora}
provider: {kind: local, base: "builtin:smollm2-135m-instruct"}
`;

interface Row {
  question: string;
  answer: string;
}

/** Rows with three duplicates, a row that is in eval too, an empty answer, a "nan" and 5,000 words. */
async function writeMistakes(home: Project): Promise<void> {
  const rows = Array.from({ length: 20 }, (_, i): Row => ({ question: `${i} + ${i}?`, answer: `${2 * i}` }));
  for (const [copy, of] of [[5, 1], [6, 2], [7, 1]] as const) rows[copy] = rows[of]!;
  rows[9]!.answer = "";
  rows[11]!.answer = "nan";
  rows[13]!.question = "word ".repeat(5000);
  await home.write("rows.jsonl", jsonl(rows));
  await home.write("held.jsonl", jsonl([{ question: "99 + 1?", answer: "100" }, rows[3]]));
  await home.write("p.yaml", PIPELINE);
}

// deno-lint-ignore no-explicit-any -- JSON of a command
function outline(problems: any[]) {
  return Object.fromEntries(problems.map(({ path, line, rows }) => [
    path,
    // deno-lint-ignore no-explicit-any -- as above
    [line, ...(rows?.first ?? []).map((row: any) => row.origin)],
  ]));
}

const ROWS_FOUND = {
  "dataset.checks.empty": [4, "rows.jsonl:10"],
  "dataset.checks.leakage": [5, "held.jsonl:2"],
  "dataset.checks.too_long": [4, "rows.jsonl:14"],
};
const ROWS_WARNED = {
  "dataset.checks.duplicates": [4, "rows.jsonl:6", "rows.jsonl:7", "rows.jsonl:8"],
  "dataset.checks.placeholders": [4, "rows.jsonl:12"],
};

Deno.test("check finds in one round a misspelt column and what is wrong with the rows, each with its line", async () => {
  await using home = await project();
  await writeMistakes(home);
  await home.write("p.yaml", PIPELINE.replace("{{ question }}", "{{ qestion }}"));
  const { code, out } = await home.call(check, ["p.yaml", "--json"]);
  assert.equal(code, 2);
  const { files: [{ ok, problems, warnings }] } = JSON.parse(out);
  assert.equal(ok, false);
  assert.deepEqual(outline(problems), { ...ROWS_FOUND, "dataset.columns.user": [8] });
  assert.deepEqual(outline(warnings), ROWS_WARNED);
  const text = await home.call(check, ["p.yaml"]);
  const lines = [6, 7, 8, 10, 12, 14].map((line) => `\n  rows.jsonl:${line}: `);
  for (const line of [...lines, "\n  held.jsonl:2: "]) assert.ok(text.out.includes(line), line);
});

Deno.test("check --no-data looks at the file alone", async () => {
  await using home = await project();
  await writeMistakes(home);
  const { code, out } = await home.call(check, ["p.yaml", "--no-data"]);
  assert.deepEqual([code, out.includes("rows not read")], [0, true], out);
});

Deno.test("check passes a file whose rows only warn", async () => {
  await using home = await project();
  const row = { question: "a", answer: "b" };
  await home.write("rows.jsonl", jsonl([row, row]));
  await home.write("held.jsonl", jsonl([{ question: "c", answer: "d" }]));
  await home.write("p.yaml", PIPELINE);
  const { code, out } = await home.call(check, ["p.yaml"]);
  assert.equal(code, 0);
  assert.match(
    out,
    /warning: 1 repeated .*\n.*\n.*\n {2}rows\.jsonl:2: .*\n\np\.yaml: ok \(.*3 rows read\), 1 warning\n$/,
  );
  const planned = await home.call(plan, ["p.yaml", "--json"]);
  assert.deepEqual(JSON.parse(planned.out).warnings.map(({ path }: { path: string }) => path), [
    "dataset.checks.duplicates",
  ]);
});

Deno.test("check reads rows with no more than permission to read", async () => {
  await using home = await project();
  await writeMistakes(home);
  const { code, out } = await temper(["check", "p.yaml", "--json"], { cwd: home.dir });
  assert.equal(code, 2);
  assert.deepEqual(outline(JSON.parse(out).files[0].problems), ROWS_FOUND);
});

Deno.test("plan refuses what a run would refuse in the rows, and plans all the same with --no-data", async () => {
  await using home = await project();
  await writeMistakes(home);
  const before = await filesOf(home);
  const error = await refusal(home.call(plan, ["p.yaml"]));
  assert.ok(error instanceof SpecError);
  assert.deepEqual(outline([...error.problems]), ROWS_FOUND);
  assert.deepEqual(outline([...error.warnings]), ROWS_WARNED);
  const { code, out } = await home.call(plan, ["p.yaml", "--no-data", "--json"]);
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(out).warnings, []);
  assert.deepEqual(await filesOf(home), before);
});

Deno.test("run reports everything that is wrong with the rows at once, with the report's place", async () => {
  await using home = await project();
  await writeMistakes(home);
  const { code, err } = await temper(["run", "p.yaml"], { cwd: home.dir, permissions: ["-A"] });
  assert.equal(code, 2);
  for (const line of [6, 7, 8, 10, 12, 14]) assert.match(err, new RegExp(`rows\\.jsonl:${line}: `));
  assert.match(err, /held\.jsonl:2: /);
  assert.match(err, /report\.html lists every problem/);
});

Deno.test("plan counts rows that no run has read yet", async () => {
  await using home = await project();
  await home.write(
    "rows.jsonl",
    jsonl(Array.from({ length: 9 }, (_, i) => ({ question: `${i}`, answer: "a" }))),
  );
  await home.write("held.jsonl", jsonl([{ question: "c", answer: "d" }]));
  await home.write("p.yaml", PIPELINE);
  const { out } = await home.call(plan, ["p.yaml", "--json"]);
  const { trainRows, evalRows, how } = JSON.parse(out).data;
  assert.deepEqual([trainRows, evalRows, how], [9, 1, "counted"]);
});

Deno.test("combinations of a matrix that share their data report it once", async () => {
  await using home = await project();
  await writeMistakes(home);
  await home.write("p.yaml", `${PIPELINE}matrix: {method.rank: [4, 8]}\n`);
  const { out } = await home.call(check, ["p.yaml", "--json"]);
  const { problems } = JSON.parse(out).files[0];
  assert.equal(problems.length, 3);
  assert.deepEqual(outline(problems), ROWS_FOUND);
});

Deno.test("all that is wrong with the data of a combination is reported, though one entry of the matrix has it", async () => {
  await using home = await project();
  await writeMistakes(home);
  await home.write("p.yaml", `${PIPELINE}matrix: {dataset.source: [rows.jsonl, held.jsonl]}\n`);
  const { out } = await home.call(check, ["p.yaml", "--json"]);
  const ofRows = JSON.parse(out).files[0].problems.filter(({ path }: { path: string }) =>
    path.endsWith("source.0")
  );
  assert.equal(ofRows.length, 2, "an empty answer and a long row");
});

async function filesOf(home: Project): Promise<string[]> {
  const names = [];
  for await (const { name } of Deno.readDir(home.dir)) names.push(name);
  return names.sort();
}
