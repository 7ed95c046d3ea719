import { deepEqual, equal, ok } from "../deps/assert.ts";
import { fileURLToPath } from "node:url";
import { files, type HomeRow, homeRows } from "../../pipelines/data/generate.ts";
import { denoFs } from "../../src/lib/files/fs.ts";

const SIDES = ["train", "eval"] as const;
const folded = (row: HomeRow) => row.command.toLowerCase().replace(/[^a-z0-9]+/g, " ").trim();
const slots = (row: HomeRow) =>
  Object.fromEntries(row.action.split(", ").map((part) => part.split(": ") as [string, string]));

Deno.test("files() reproduces the committed files", async () => {
  const folder = new URL("../../pipelines/data/", import.meta.url);
  const made = SIDES.flatMap((side) => Object.entries(files(side)));
  const committed = (await denoFs.list(fileURLToPath(folder))).filter((name) => name.endsWith(".jsonl"));
  deepEqual(made.map(([name]) => name).sort(), committed.sort());
  for (const [name, text] of made) {
    equal(text, await denoFs.readText(fileURLToPath(new URL(name, folder))), name);
  }
});

Deno.test("homeRows() shares no command and no answer between train and eval", () => {
  const commands = new Set(homeRows("train").map(folded));
  const answers = new Set(homeRows("train").map((row) => row.action));
  for (const row of homeRows("eval")) {
    ok(!commands.has(folded(row)), row.command);
    ok(!answers.has(row.action), row.action);
  }
});

Deno.test("homeRows() repeats no command and, in eval, no answer", () => {
  for (const side of SIDES) equal(new Set(homeRows(side).map(folded)).size, homeRows(side).length);
  equal(new Set(homeRows("eval").map((row) => row.action)).size, 60);
});

Deno.test("homeRows() keeps some rooms and devices for eval and words every eval command anew", () => {
  const [train, evaluation] = [homeRows("train"), homeRows("eval")];
  for (const slot of ["what", "where"]) {
    const known = new Set(train.map((row) => slots(row)[slot]));
    const unknown = evaluation.filter((row) => !known.has(slots(row)[slot]));
    ok(unknown.length >= 20 && unknown.length <= 50, `${slot}: ${unknown.length} rows`);
  }
  const patterns = new Set(train.map(pattern));
  deepEqual(evaluation.filter((row) => patterns.has(pattern(row))), []);
});

Deno.test("homeRows() says everything in the command that the answer holds", () => {
  for (const row of SIDES.flatMap(homeRows)) {
    const { what, where, to } = slots(row);
    for (const value of [what, where, to]) {
      ok(value === undefined || folded(row).includes(value), row.command);
    }
  }
});

/** The sentence without what stands in its slots and without courtesies. */
function pattern(row: HomeRow): string {
  const { what, where, to } = slots(row);
  let text = ` ${folded(row)} `.replace(/ (hey|ok|please)(?= )/g, "");
  for (const value of [what, where, to]) if (value) text = text.replace(` ${value} `, " _ ");
  return text;
}
