import assert from "../deps/assert.ts";
import { leaking } from "../ui/recorded.ts";
import { DONE, site } from "./kit.ts";

Deno.test("/runs/:id says beside the score how many of the evaluated rows were trained on too", async () => {
  await using s = await site();
  await s.addRun("20261122-080000-home-lora-aaaa", leaking(3));
  await s.addRun("20261122-080000-home-lora-bbbb", DONE);
  const scores = async (id: string) =>
    /<section class="card scores".*?<\/section>/s.exec(
      await s.text(`/runs/20261122-080000-home-lora-${id}`),
    )![0];
  assert.match(await scores("aaaa"), /<p class="warn">3 of 60 held-out rows are also in the training data</);
  assert.doesNotMatch(await scores("bbbb"), /also in the training data/);
});
