import assert from "../deps/assert.ts";
import { BEGINNING, DONE, site, training } from "./kit.ts";

const ID = "20261122-080000-home-lora-aaaa";

/** The lines of each step's card. */
function cards(page: string): string[][] {
  const list = /<ol class="steps">([^]*?)<\/ol>/.exec(page)![1]!;
  return list.split("<li").slice(1).map((card) =>
    [...card.matchAll(/<p class="(?:soft )?detail"[^>]*>([^]*?)<\/p>/g)].map(([, text]) =>
      text!.replace(/<[^>]*>/g, "").trim()
    )
  );
}

Deno.test("/runs/:id says what each step did in two lines: what matters most, and details", async () => {
  await using s = await site();
  await s.addRun(ID, DONE);
  const [extract, format, configure] = cards(await s.text(`/runs/${ID}`));
  assert.equal(extract![0], "410 rows");
  assert.deepEqual(format, ["350 train · 60 eval", "columns"]);
  assert.deepEqual(configure!.slice(0, 2), ["13,950 tokens", "chatml"]);
});

Deno.test("/runs/:id says how far the step under way is", async () => {
  await using s = await site();
  await s.addRun(ID, [...BEGINNING, ...training(9)]);
  const page = await s.text(`/runs/${ID}`);
  const monitor = (cards(page)).at(-1)!;
  assert.equal(monitor[0], "train 9/44 steps, smoothed loss 0.444, 77.0 tokens/s");
});

Deno.test("/runs/:id says how to serve a model that nothing serves, not how to talk to it", async () => {
  await using s = await site();
  await s.addRun(ID, DONE);
  const page = await s.text(`/runs/${ID}`);
  assert.match(page, /Serve it[^]*deno task register/);
  assert.doesNotMatch(page, /Talk to it|ollama run/);
});
