// deno-lint-ignore-file camelcase -- names of fields of configurations
import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { parse } from "yaml";
import { dataOf, faultsOf, FILES, FIXTURES, imported, keysOf, lost } from "./kit.ts";

for (const [file, tool] of Object.entries(FILES)) {
  Deno.test(`importConfig() recognises ${file}, writes what check takes, and loses no key`, async () => {
    const result = await imported(file);
    assert.equal(result.tool, tool);
    assert.deepEqual(await faultsOf(result), []);
    const source = await Deno.readTextFile(join(FIXTURES, file));
    assert.deepEqual(lost(keysOf(parse(source)), result), []);
    for (const { field, line, file: other } of result.notCarried) {
      if (line === null || other !== undefined) continue;
      const name = field.split(".").findLast((name) => !/^\d+$/.test(name))!;
      assert.ok(source.split("\n")[line - 1]!.includes(name), `${field} is not in line ${line}`);
    }
    for (const { field } of result.notCarried) assert.ok(result.pipeline.includes(field), field);
  });
}

Deno.test("importConfig() carries a QLoRA of Axolotl over", async () => {
  const result = await imported("axolotl_qlora.yml");
  const { dataset, method, train, evaluate, provider } = dataOf(result);
  assert.deepEqual(dataset.source, [
    { path: "data/chats.jsonl", format: "messages" },
    {
      path: "data/example-org--support-chats.train.jsonl",
      format: "sharegpt",
      roles: { customer: "user", agent: "assistant" },
    },
  ]);
  assert.deepEqual(dataset.split, { eval: 0.05 });
  assert.deepEqual(evaluate, { metric: "none" });
  assert.deepEqual(method, { kind: "qlora", rank: 32, alpha: 16, dropout: 0.05, target: "all-linear" });
  assert.deepEqual(train, {
    epochs: 4,
    learning_rate: 2e-4,
    batch_size: 8,
    max_length: 4096,
    schedule: "cosine",
    warmup_ratio: 0.1,
    weight_decay: 0,
    max_grad_norm: 1,
    seed: 42,
  });
  assert.deepEqual(provider, { kind: "local", base: "Qwen/Qwen3-4B-Instruct-2507", template: "chatml" });
  const hub = result.notCarried.find(({ field }) => field === "datasets.1.path")!;
  assert.equal(hub.line, 13);
  assert.match(hub.instead, /load_dataset\("example-org\/support-chats", split="train"\)/);
  assert.match(result.pipeline, /seed: 42 # Axolotl's default/);
});

Deno.test("importConfig() shows no secret", async () => {
  for (const file of ["axolotl_qlora.yml", "unsloth.yaml"]) {
    assert.doesNotMatch(JSON.stringify(await imported(file)), /hf_abcdef|not-a-real-one/);
  }
});

Deno.test("importConfig() turns prompts of Axolotl's user into templates, and steps into shares", async () => {
  const result = await imported("axolotl_full.yaml");
  const { dataset, method, train } = dataOf(result);
  assert.deepEqual(dataset.source[1], {
    path: "data/notes.jsonl",
    format: "columns",
    columns: {
      system: "Answer from the context.",
      user: "{{ question }}\n\nContext: {{ context | optional }}",
      assistant: "{{ reply }}",
    },
  });
  assert.deepEqual(dataset.eval, { path: "data/held.jsonl", format: "messages" });
  assert.deepEqual(dataset.checks, { too_long: "warn" });
  assert.deepEqual(method, { kind: "full" });
  assert.deepEqual([train.max_steps, train.epochs, train.warmup_ratio], [400, 1000, 0.05]);
  const important = result.notCarried.filter(({ matters }) => matters).map(({ field }) => field);
  assert.deepEqual(important, [
    "datasets.1.type.no_input_format",
    "train_on_inputs",
    "sample_packing",
    "deepspeed",
    "neftune_noise_alpha",
  ]);
});

Deno.test("importConfig() reads LLaMA-Factory's descriptions of datasets", async () => {
  const result = await imported("llama_factory/lora.yaml");
  const { dataset, method, train } = dataOf(result);
  assert.deepEqual(dataset.source, [
    {
      path: "llama_factory/data/tickets.json",
      format: "columns",
      columns: {
        system: "{{ tone | optional }}",
        user: "{{ problem }}\n{{ details | optional }}",
        assistant: "{{ solution }}",
      },
    },
    { path: "llama_factory/data/chats.jsonl", format: "messages", roles: { customer: "user" } },
    { path: "data/example-org--public-set.en.train.jsonl", format: "alpaca" },
  ]);
  assert.deepEqual(dataset.eval, { path: "llama_factory/data/held.jsonl", format: "sharegpt" });
  assert.deepEqual(method, { kind: "qlora", rank: 8, alpha: 16, dropout: 0, target: ["q_proj", "v_proj"] });
  assert.deepEqual([train.epochs, train.batch_size, train.max_length], [3, 8, 2048]);
  const other = result.notCarried.filter(({ file }) => file !== undefined);
  assert.deepEqual(other.map(({ field, file, line }) => [field, file, line]), [
    ["chats.num_samples", "dataset_info.json", 17],
    ["public_set.hf_hub_url", "dataset_info.json", 19],
  ]);
});

Deno.test("importConfig() writes the defaults of Unsloth, TRL and Soup out", async () => {
  const unsloth = dataOf(await imported("unsloth.yaml"));
  assert.deepEqual(unsloth.method.kind, "qlora");
  assert.equal(unsloth.provider.base, "unsloth/Qwen3-4B");
  assert.deepEqual([unsloth.train.schedule, unsloth.train.seed, unsloth.train.batch_size], [
    "linear",
    3407,
    8,
  ]);
  const lora = dataOf(await imported("trl_lora.yaml"));
  assert.deepEqual(lora.method, {
    kind: "lora",
    rank: 32,
    alpha: 16,
    dropout: 0.05,
    target: ["q_proj", "v_proj"],
  });
  assert.deepEqual([lora.train.max_length, lora.train.warmup_ratio, lora.train.schedule], [
    1024,
    0,
    "linear",
  ]);
  const full = await imported("trl_full.yaml");
  assert.deepEqual(dataOf(full).method, { kind: "full" });
  assert.deepEqual(dataOf(full).train.learning_rate, 2e-5);
  const missing = full.notCarried.filter(({ line }) => line === null).map(({ field }) => field);
  assert.deepEqual(missing, ["assistant_only_loss"]);
  const soup = dataOf(await imported("soup.yaml"));
  assert.deepEqual(soup.method, {
    kind: "qlora",
    rank: 32,
    alpha: 64,
    dropout: 0.05,
    target: ["q_proj", "v_proj"],
  });
  assert.deepEqual([soup.train.warmup_ratio, soup.train.weight_decay, soup.dataset.split.eval], [
    0.03,
    0.01,
    0.1,
  ]);
});

Deno.test("importConfig() shows no value whose name says that it is secret, and no text that it does not know", async () => {
  const dir = await Deno.makeTempDir({ prefix: "import-" });
  const secrets = {
    apiKey: "tiger01",
    wandb_api_keys: ["tiger02"],
    hf_token: ["tiger03"],
    hf_token2: "tiger04",
    passwd: "tiger05",
    auth: { bearer: "tiger06", Basic: { user: "tiger07" } },
    credentials: "tiger08",
    my_pwd: "tiger09",
    password: 75319824,
    "X-Auth-Token": "tiger10",
    accesskey: "tiger11",
    dbPassword: "tiger12",
    wandb_run_id: { authToken: "tiger13" },
    headers: { cookie: "tiger14" },
    note: "tiger15",
  };
  const config = {
    base_model: "a/b",
    sequence_len: 64,
    datasets: [{ path: "x.jsonl", type: "alpaca", login: "tiger16" }],
    max_tokens: 512,
    use_auth_token: true,
    ...secrets,
  };
  try {
    await Deno.writeTextFile(join(dir, "c.json"), JSON.stringify(config));
    const result = await imported("c.json", dir);
    assert.doesNotMatch(JSON.stringify(result), /tiger|75319824/);
    const values = Object.fromEntries(result.notCarried.map(({ field, value }) => [field, value]));
    assert.deepEqual(Object.keys(secrets).filter((name) => !(name in values)), []);
    assert.deepEqual(values["auth"], { bearer: "(hidden)", Basic: { user: "(hidden)" } });
    assert.deepEqual([values["max_tokens"], values["use_auth_token"]], [512, true]);
    const why = (name: string) => result.notCarried.find(({ field }) => field === name)?.why;
    assert.equal(why("apiKey"), "secrets belong in the environment");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("importConfig() finds files, folders and what has to be fetched or converted first", async () => {
  const dir = await Deno.makeTempDir({ prefix: "import-" });
  try {
    await Deno.mkdir(join(dir, "rows"));
    await Deno.writeTextFile(join(dir, "rows", "a.csv"), "q,a\n1,2\n");
    const entries = [
      "rows",
      "old.parquet",
      "s3://bucket/rows",
      "org/set",
      "/abs/x.jsonl",
      "gone.jsonl",
      "gone.jsonl",
    ]
      .map((path) => ({ path, type: "alpaca" }));
    const config = { base_model: "/models/base", sequence_len: 64, datasets: entries };
    await Deno.writeTextFile(join(dir, "config.json"), JSON.stringify(config));
    const result = await imported("config.json", dir);
    const { dataset, provider } = dataOf(result);
    assert.deepEqual(dataset.source.map(({ path }: { path: string }) => path), [
      "rows/*.csv",
      "old.jsonl",
      "data/rows.jsonl",
      "data/org--set.train.jsonl",
      "/abs/x.jsonl",
      "gone.jsonl",
    ]);
    assert.equal(provider.base, "/models/base");
    const listed = result.notCarried.filter(({ field }) => field.startsWith("dataset"));
    assert.deepEqual(listed.map(({ value }) => value), [
      "old.parquet",
      "s3://bucket/rows",
      "org/set",
      "gone.jsonl",
    ]);
    assert.deepEqual(dataset.checks, { too_long: "drop" });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("importConfig() lists what a folder has besides the files that it names", async () => {
  const dir = await Deno.makeTempDir({ prefix: "import-" });
  try {
    await Deno.mkdir(join(dir, "mix", "more"), { recursive: true });
    await Deno.mkdir(join(dir, "upper"));
    for (const name of ["mix/a.jsonl", "mix/b.csv", "mix/notes.md", "mix/.hidden.csv", "upper/A.CSV"]) {
      await Deno.writeTextFile(join(dir, name), "");
    }
    const datasets = [{ path: "mix", type: "alpaca" }, { path: "upper", type: "alpaca" }];
    const config = { base_model: "a/b", sequence_len: 64, datasets };
    await Deno.writeTextFile(join(dir, "c.json"), JSON.stringify(config));
    const result = await imported("c.json", dir);
    const paths = dataOf(result).dataset.source.map(({ path }: { path: string }) => path);
    assert.deepEqual(paths, ["mix/*.jsonl", "upper/*.CSV"]);
    const left = result.notCarried.filter(({ field }) => field.startsWith("datasets"));
    assert.deepEqual(left.map(({ field, why, instead, matters }) => ({ field, why, instead, matters })), [{
      field: "datasets.0.path",
      why: "the folder also has b.csv, more/, which mix/*.jsonl does not match",
      instead: "add what belongs to the data to dataset.source",
      matters: true,
    }]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("importConfig() stops at long rows where TRL is told to cut none", async () => {
  const dir = await Deno.makeTempDir({ prefix: "import-" });
  try {
    await Deno.writeTextFile(
      join(dir, "c.yaml"),
      "model_name_or_path: a/b\ndataset_name: c/d\nmax_length:\n",
    );
    const result = await imported("c.yaml", dir);
    assert.deepEqual(dataOf(result).dataset.checks, { too_long: "error" });
    assert.equal(result.notCarried.find(({ field }) => field === "max_length")?.matters, true);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("importConfig() makes hosted pipelines of OpenAI's jobs", async () => {
  const job = dataOf(await imported("openai_job.json"));
  assert.deepEqual(job.provider, {
    kind: "openai",
    base: "gpt-4.1-mini-2025-04-14",
    learning_rate_multiplier: 1.8,
    integrations: [{ kind: "wandb", project: "support", tags: ["a"] }],
    suffix: "support",
  });
  assert.deepEqual(job.train, { epochs: 3, seed: 7 });
  const dpo = dataOf(await imported("openai_dpo.json"));
  assert.deepEqual(dpo.dataset, { source: "data/pairs.jsonl", format: "preference" });
  assert.equal(dpo.provider.beta, 0.2);
});
