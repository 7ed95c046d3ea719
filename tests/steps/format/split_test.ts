import assert from "../../deps/assert.ts";
import fc from "fast-check";
import { Bench, jsonl, refusal } from "../drive.ts";

interface Row {
  readonly prompt: string;
  readonly completion: string;
  readonly room: string;
}

const rowsOf = (ids: readonly number[]): Row[] =>
  ids.map((id) => ({ prompt: `question ${id}`, completion: `answer ${id}`, room: `room ${id % 7}` }));

async function sides(bench: Bench, rows: readonly Row[], split: Record<string, unknown>) {
  await bench.write("a.jsonl", jsonl(rows));
  await bench.format(bench.pipeline({ source: "a.jsonl", split, checks: { leakage: "warn" } }));
  const side = new Map<string, string>();
  for (const set of ["train", "eval"]) {
    for (const { messages } of await bench.lines("format", `${set}.jsonl`)) {
      side.set(messages[0].content, set);
    }
  }
  return side;
}

const ids = fc.uniqueArray(fc.nat(400), { minLength: 60, maxLength: 120 });

Deno.test("openSplitter() with a fraction never moves a row when others are added", async () => {
  await using bench = await Bench.open();
  await fc.assert(
    fc.asyncProperty(ids, ids, async (few, more) => {
      const split = { eval: 0.3, seed: 3 };
      const before = await sides(bench, rowsOf(few), split);
      const after = await sides(bench, rowsOf([...new Set([...more, ...few])]), split);
      for (const [prompt, side] of before) assert.equal(after.get(prompt), side);
    }),
    { numRuns: 25 },
  );
});

Deno.test("openSplitter() with a number holds out exactly so many, the same ones in any order", async () => {
  await using bench = await Bench.open();
  await fc.assert(
    fc.asyncProperty(ids, fc.integer({ min: 1, max: 59 }), async (ids, wanted) => {
      const forward = await sides(bench, rowsOf(ids), { eval: wanted });
      assert.equal([...forward.values()].filter((side) => side === "eval").length, wanted);
      const backward = await sides(bench, rowsOf(ids.toReversed()), { eval: wanted });
      assert.deepEqual(new Map([...backward].sort()), new Map([...forward].sort()));
    }),
    { numRuns: 25 },
  );
});

Deno.test("openSplitter() with a number moves a row into train only, when rows are added", async () => {
  await using bench = await Bench.open();
  const before = await sides(bench, rowsOf([...Array(100).keys()]), { eval: 20 });
  const after = await sides(bench, rowsOf([...Array(150).keys()]), { eval: 20 });
  for (const [prompt, side] of before) if (side === "train") assert.equal(after.get(prompt), "train");
});

Deno.test("openSplitter() keeps rows that share a field, or their input, on one side", async () => {
  await using bench = await Bench.open();
  for (const share of [0.4, 35]) {
    const rows = rowsOf([...Array(100).keys()]);
    const side = await sides(bench, rows, { eval: share, by: "room" });
    const ofRoom = (room: string) =>
      new Set(rows.filter((row) => row.room === room).map((row) => side.get(row.prompt)));
    for (const { room } of rows) assert.equal(ofRoom(room).size, 1);
    const { split } = await bench.report();
    assert.equal(split.held, [...side.values()].filter((set) => set === "eval").length);

    const repeated = rows.flatMap((
      row,
    ) => [row, { ...row, prompt: ` ${row.prompt.toUpperCase()}`, completion: "other" }]);
    const twice = await sides(bench, repeated, { eval: share });
    for (const { prompt } of rows) assert.equal(twice.get(prompt), twice.get(` ${prompt.toUpperCase()}`));
    assert.equal((await bench.report()).checks.leakage.count, 0);
  }
});

Deno.test("openSplitter() holds out a whole group where the number asks for less", async () => {
  await using bench = await Bench.open();
  const side = await sides(bench, rowsOf([...Array(70).keys()]), { eval: 1, by: "room" });
  assert.equal([...side.values()].filter((set) => set === "eval").length, 10);
});

Deno.test("openSplitter() depends on the seed", async () => {
  await using bench = await Bench.open();
  const rows = rowsOf([...Array(100).keys()]);
  const one = await sides(bench, rows, { eval: 0.5, seed: 1 });
  const two = await sides(bench, rows, { eval: 0.5, seed: 2 });
  assert.notDeepEqual([...one].sort(), [...two].sort());
});

Deno.test("format.run() wants the field that a split goes by in every row", async () => {
  await using bench = await Bench.open();
  const rows: Partial<Row>[] = rowsOf([1, 2, 3, 4]);
  await bench.write("a.jsonl", jsonl([...rows, { prompt: "p", completion: "c" }]));
  const message = async (by: string) =>
    (await refusal(bench.format(bench.pipeline({ source: "a.jsonl", split: { eval: 2, by } })))).message;
  assert.match(await message("room"), /a\.jsonl:5: room is missing, .*dataset\.split\.by/);
  assert.match(await message("rom"), /no row of dataset\.source has a field "rom", did you mean "room"/);
});
