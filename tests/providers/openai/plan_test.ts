import assert from "../../deps/assert.ts";
import { hostedProject } from "./hosted_project.ts";

Deno.test("plan of a hosted pipeline shows tokens, price with date and source, presets and what closes", async () => {
  await using project = await hostedProject({ provider: "  budget_usd: 0.0001\n" });
  const { code, out, err } = await project.call("plan", "hosted.yaml");
  assert.equal(code, 0, err);
  assert.match(out, /tokens +[\d,]+ train, .* in 5 epochs.* +counted with o200k_base/);
  assert.match(out, /price +\$.*temper's table of 2026-11-22/);
  assert.match(out, /2027-01-06/);
  assert.match(out, /learning_rate_multiplier +0\.5 +preset for lora/);
  assert.match(out, /picks the technique itself.*method\.rank.* are not sent/);
  assert.match(out, /above provider\.budget_usd/);
});

Deno.test("plan of a hosted pipeline counts tokens as configure does, and estimates them where rows are not read", async () => {
  await using project = await hostedProject();
  const figures = async (...more: string[]) => {
    const { out } = await project.call("plan", "hosted.yaml", "--json", ...more);
    const { estimates } = JSON.parse(out) as {
      estimates: { name: string; figures: Record<string, number> }[];
    };
    return estimates.find(({ name }) => name === "tokens")!.figures;
  };
  const counted = await figures();
  const estimated = await figures("--no-data");
  assert.ok(estimated["train_least"]! < estimated["train"]!);
  await project.run("http://127.0.0.1:9/v1");
  const stored = await figures();
  assert.deepEqual(counted, stored);
  assert.equal(counted["train_least"], counted["train"]);
});

Deno.test("plan --prices FILE goes before temper's table, and a bad file is refused", async () => {
  await using project = await hostedProject();
  await project.write("prices.yaml", "date: 2027-02-03\nmodels: {gpt-4.1-mini-2025-04-14: {training: 7}}\n");
  const { out } = await project.call("plan", "hosted.yaml", "--prices", "prices.yaml");
  assert.match(out, /\$7 per million training tokens.*prices\.yaml" of 2027-02-03/);
  await project.write("prices.yaml", "models: {}\n");
  const refused = await project.call("plan", "hosted.yaml", "--prices", "prices.yaml");
  assert.equal(refused.code, 2);
  assert.match(refused.err, /Cannot read prices/);
  const unknown = await project.call("plan", "hosted.yaml", "--set", "provider.base=new-model");
  assert.match(unknown.out, /price is known for new-model: set provider\.price/);
});

Deno.test("check names every field that the dialect cannot honour", async () => {
  const more =
    "train: {learning_rate: 1e-4, warmup_ratio: 0.1, schedule: linear, device: cpu, epochs: 1.5}\n";
  await using openai = await hostedProject({ more });
  const { code, err, out } = await openai.call("check", "hosted.yaml");
  assert.equal(code, 2);
  for (const field of ["train.learning_rate", "train.warmup_ratio", "train.schedule", "train.device"]) {
    assert.ok((err + out).includes(`Unsupported field ${field}: dialect openai has no such field`), field);
  }
  assert.match(err + out, /train\.epochs: found 1\.5/);
  await using nebius = await hostedProject({
    dialect: "nebius",
    more: "train: {learning_rate: 1e-4, seed: 2}\n",
    provider: "  beta: 0.1\n",
  });
  const found = await nebius.call("check", "hosted.yaml");
  assert.match(found.err + found.out, /train\.seed: dialect nebius/);
  assert.match(found.err + found.out, /provider\.beta: dialect nebius/);
  assert.doesNotMatch(found.err + found.out, /train\.learning_rate:/);
});

Deno.test("run refuses fewer than ten rows, and names rows that are too long", async () => {
  await using project = await hostedProject({ more: "train: {max_length: 8}\n" });
  const { code, err } = await project.run("http://127.0.0.1:9/v1");
  assert.equal(code, 2);
  assert.match(err, /longer than 8 tokens.*train\.jsonl:1: has \d+ tokens/s);
  const one = '{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}\n';
  await using few = await hostedProject({ train: one, held: one.replace('"a"', '"c"') });
  assert.match((await few.run("http://127.0.0.1:9/v1")).err, /1 training row, OpenAI .* 10/);
});
