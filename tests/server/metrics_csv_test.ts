import assert from "../deps/assert.ts";
import fc from "fast-check";
import { downloadName } from "../../server/files/downloads.ts";
import { BEGINNING, metric, site, training } from "./kit.ts";
import { addTrained } from "./trained.ts";

const ID = "20261122-080000-home-lora-aaaa";
const ADDRESS = `/runs/${ID}/metrics.csv`;

Deno.test("/runs/:id/metrics.csv has a line for each step, and columns for what was recorded", async () => {
  await using s = await site();
  await s.addRun(ID, BEGINNING);
  await addTrained(s, ID, { steps: 3000, evalEvery: 100 });
  const response = await s.get(ADDRESS);
  assert.equal(response.headers.get("content-type"), "text/csv; charset=utf-8");
  assert.equal(response.headers.get("content-disposition"), `attachment; filename="${ID}-metrics.csv"`);
  const [head, ...lines] = (await response.text()).trimEnd().split("\n");
  assert.equal(
    head,
    "step,epoch,tokens,time,loss,smoothed,eval_loss,grad_norm,learning_rate,tokens_per_second,rss," +
      "gpu_memory,cpu,gpu,cpu_temperature,gpu_temperature",
  );
  assert.deepEqual(
    lines.map((line) => Number(line.split(",")[0])),
    Array.from({ length: 3000 }, (_, i) => i + 1),
  );
  const [, epoch, tokens, time, , , held] = lines[99]!.split(",");
  assert.deepEqual([tokens, time], ["51200", "2026-11-22T08:00:10.000Z"]);
  assert.deepEqual([Number(epoch), Number(held)], [100 / 3000, 4.2 / Math.sqrt(100)]);
});

Deno.test("/runs/:id/metrics.csv leaves out what was trained again after a kill", async () => {
  await using s = await site();
  await s.addRun(ID, BEGINNING);
  const attempt = (steps: readonly number[], number: number) =>
    steps.map((step) => metric(step, number, number)).join("");
  await s.write(
    `${ID}/job/metrics.jsonl`,
    `${attempt([1, 2, 3, 4, 5], 1)}${attempt([3, 4], 2)}garbage "train"\n${
      attempt([2, 3], 3)
    }{"type":"train","st`,
  );
  const lines = (await s.text(ADDRESS)).trimEnd().split("\n").map((line) => line.split(","));
  assert.deepEqual(lines.map(([step, , loss]) => `${step} ${loss}`), ["step loss", "1 1", "2 3", "3 3"]);
});

Deno.test("/runs/:id/metrics.csv of a job elsewhere has what its log has; a run without numbers has no lines", async () => {
  await using s = await site();
  await s.addRun(ID, [...BEGINNING, ...training(3)]);
  const lines = (await s.text(ADDRESS)).trimEnd().split("\n");
  assert.match(lines[0]!, /^step,time,loss/);
  assert.equal(lines.length, 4);
  await s.addRun("none", BEGINNING);
  assert.equal(await s.text("/runs/none/metrics.csv"), "step\n");
  assert.equal((await s.get("/runs/never/metrics.csv")).status, 404);
});

Deno.test("downloadName() can be saved anywhere and says nothing to a header", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 30 }),
      (id) => assert.match(downloadName(id, "metrics.csv"), /^\w[\w.-]*-metrics\.csv$/),
    ),
  );
  assert.equal(downloadName('../a"b\r\nc', "metrics.csv"), "_a_b_c-metrics.csv");
});
