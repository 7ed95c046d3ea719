import assert from "../deps/assert.ts";
import { DONE, type Site, site } from "./kit.ts";

const SPEC = {
  version: 1,
  name: "home-lora",
  method: { kind: "lora", rank: 16 },
  train: { seed: 9, dtype: "auto" },
};
const SETTINGS = [
  { field: "method.kind", value: "lora", from: "file" },
  { field: "method.rank", value: 16, from: "set" },
  { field: "train.learning_rate", value: 0.002, from: "base", reason: "default for <lora>" },
  { field: "train.seed", value: 9, from: "matrix" },
  { field: "train.dtype", value: "auto", from: "default", reason: "auto: what is fast" },
];
const FIRST = "20261122-080000-home-lora-aaaa";
const SECOND = "20261122-090000-home-lora-bbbb";

/** A finished run with this plan. */
async function made(s: Site, id: string, plan: unknown): Promise<void> {
  await s.addRun(id, DONE);
  await s.write(`${id}/pipeline.yaml`, "method: {kind: lora}\n");
  await s.write(`${id}/plan.json`, typeof plan === "string" ? plan : JSON.stringify(plan));
}

/** The text of the page's rows and paragraphs, without its marks. */
function textOf(html: string): string {
  return html.replace(/<[^>]*>/g, " ").replaceAll("&quot;", '"').replace(/\s+/g, " ").replaceAll(" :", ":");
}

Deno.test("/runs/:id shows the settings with origin and reason, defaults folded, and the effective pipeline", async () => {
  await using s = await site();
  await made(s, FIRST, { spec: SPEC, settings: SETTINGS });
  const page = await s.text(`/runs/${FIRST}`);
  const settings = page.slice(page.indexOf('id="settings"'), page.indexOf('data-live="files"'));
  const [chosen = "", folded = ""] = settings.split("<details>");
  assert.match(textOf(chosen), /method\.rank 16 --set .*train\.seed 9 matrix .*method\.kind lora file/);
  assert.match(chosen, /train\.learning_rate.*0\.002.*base.*default for &lt;lora&gt;/s);
  assert.match(textOf(folded), /1 setting with its default .*train\.dtype auto default auto: what is fast/);
  assert.match(
    textOf(page),
    /Effective pipeline .*method: kind: lora rank: 16 train: seed: 9 .*learning_rate: 0\.002/,
  );
});

Deno.test("/runs/:id shows one pipeline where the effective one says nothing else, and none of a broken plan", async () => {
  await using s = await site();
  await made(s, FIRST, { spec: SPEC, settings: [SETTINGS[0]] });
  assert.ok(!(await s.text(`/runs/${FIRST}`)).includes("Effective pipeline"));
  await made(s, FIRST, { spec: SPEC });
  const old = textOf(await s.text(`/runs/${FIRST}`));
  assert.match(old, /4 settings of a run that does not say where they come from/);
  await made(s, FIRST, "{");
  const broken = await s.get(`/runs/${FIRST}`);
  assert.equal(broken.status, 200);
  assert.match(textOf(await broken.text()), /Cannot read "[^"]*plan\.json"/);
});

Deno.test("/compare shows only the settings that differ, with a column for each run", async () => {
  await using s = await site();
  await made(s, FIRST, { spec: SPEC, settings: SETTINGS });
  await made(s, SECOND, {
    spec: SPEC,
    settings: SETTINGS.map((it, i) => i === 1 ? { ...it, value: 8 } : it),
  });
  const page = await s.text(`/compare?run=${FIRST}&run=${SECOND}`);
  const table = /<table class="differing">.*?<\/table>/s.exec(page)?.[0] ?? "";
  assert.equal(textOf(table).trim(), `${FIRST} ${SECOND} method.rank 16 8`);
  await made(s, SECOND, "{");
  assert.equal((await s.get(`/compare?run=${FIRST}&run=${SECOND}`)).status, 200);
});
