// deno-lint-ignore-file camelcase -- names of config.json
import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import type { BaseInfo } from "../../../src/providers/trainer/base/base.ts";
import { folderBase } from "../../../src/providers/trainer/base/folder_base.ts";
import { baseTensors, TOKENIZER, writeBase, writeTensors } from "./project.ts";

const dir = await Deno.makeTempDir();
const env = { fs: denoFs, clock: systemClock, cacheDir: join(dir, "cache"), env: {} };
const HEAD = "lm_head.weight";
let made = 0;

async function folder(config: Record<string, unknown> = {}): Promise<string> {
  const path = join(dir, `base-${++made}`);
  await writeBase(path, config);
  return path;
}

function read(path: string, gguf = true): Promise<BaseInfo> {
  return folderBase("mine", path, env, gguf);
}

async function refused(path: string, message: RegExp, gguf = true, hint = /./): Promise<void> {
  await assert.rejects(read(path, gguf), (error: Error & { hint?: string }) => {
    assert.match(error.message, message);
    assert.match(error.hint ?? "", hint);
    return true;
  });
}

async function write(path: string, file: string, value: unknown): Promise<void> {
  await Deno.mkdir(join(path, file, ".."), { recursive: true });
  await Deno.writeTextFile(join(path, file), typeof value === "string" ? value : JSON.stringify(value));
}

Deno.test("folderBase() takes what cannot be exported where no GGUF file is wanted", async () => {
  for (const model_type of ["gemma3_text", "phi3", "gpt_neox", "mixtral", "exaone4", "smollm3"]) {
    const path = await folder({ model_type });
    await refused(path, new RegExp(`^Cannot export base "mine" as GGUF: its model_type is "${model_type}"$`));
    await refused(
      path,
      /./,
      true,
      /^Set provider\.export\.gguf to false, .* llama, qwen2, qwen3, and for mistral without sliding windows$/,
    );
    assert.equal((await read(path, false)).arch, model_type);
  }
  for (
    const [config, found] of [
      [{ model_type: "mistral" }, /its attention has sliding windows$/],
      [{ model_type: "mistral", sliding_window: 4096 }, /its attention has sliding windows$/],
      [{ hidden_act: "gelu" }, /its activation "gelu" is not silu$/],
      [{ model_type: "qwen2", use_sliding_window: true }, /its attention has sliding windows$/],
      [
        { rope_scaling: { type: "dynamic", factor: 2 } },
        /its rotary scaling "dynamic" cannot be expressed exactly in GGUF$/,
      ],
      [
        { rope_parameters: { rope_type: "yarn", factor: 2, mscale: 1 } },
        /its rotary scaling "yarn" with mscale cannot be expressed exactly in GGUF$/,
      ],
      [{ partial_rotary_factor: 0.5 }, /it rotates only a part of each head$/],
    ] as const
  ) {
    const path = await folder(config);
    await refused(path, found);
    if (!("model_type" in config)) await read(path, false);
  }
  assert.equal((await read(await folder({ model_type: "mistral", sliding_window: null }))).arch, "mistral");
  await read(await folder({ rope_scaling: { rope_type: "llama3", factor: 8 }, hidden_act: "silu" }));
});

Deno.test("folderBase() knows figures by the names that other architectures have for them", async () => {
  const path = await folder();
  const config = { model_type: "gpt2", n_embd: 64, n_layer: 2, n_head: 4, vocab_size: 100 };
  await write(path, "config.json", config);
  const { shape } = await read(path, false);
  assert.deepEqual([shape?.hidden, shape?.layers, shape?.heads, shape?.feedForward], [64, 2, 4, 256]);
  await write(path, "config.json", { model_type: "mamba", hidden_size: 64 });
  assert.equal((await read(path, false)).shape, null);
  await write(path, "config.json", { model_type: "gemma3", text_config: { ...config, hidden_size: 64 } });
  assert.equal((await read(path, false)).shape?.hidden, 64);
});

Deno.test("folderBase() refuses what transformers cannot load, and quantised weights, by name", async () => {
  await refused(
    await folder({ model_type: "martian" }),
    /transformers has no language model of type "martian"$/,
    false,
  );
  const declared = await folder({ quantization_config: { quant_method: "gptq", bits: 4 } });
  await refused(
    declared,
    /^Cannot train base "mine": its weights are quantised \(gptq\)$/,
    false,
    /original model/,
  );
  for (const type of ["F8_E4M3", "F8_E5M2", "I8", "U8", "I32"]) {
    const path = await folder();
    const name = "model.layers.1.mlp.up_proj.weight";
    await writeTensors(join(path, "model.safetensors"), baseTensors(), { [name]: type });
    await refused(
      path,
      new RegExp(`quantised, tensor "${name}" has the type ${type}$`),
      false,
      /original model/,
    );
  }
  const masked = await folder({ model_type: "gpt_neox" });
  const mask = "gpt_neox.layers.0.attention.bias";
  await writeTensors(join(masked, "model.safetensors"), { ...baseTensors(), [mask]: [4, 4] }, {
    [mask]: "BOOL",
  });
  await read(masked, false);
});

Deno.test("folderBase() names missing tensors, tensors of another shape and tensors that are too many", async () => {
  const path = await folder();
  const file = join(path, "model.safetensors");
  const { [HEAD]: head, ...headless } = baseTensors();
  await writeTensors(file, headless);
  await refused(path, /^Cannot use base "mine": tensor "lm_head\.weight" is missing$/, false);
  await write(path, "config.json", {
    ...JSON.parse(await Deno.readTextFile(join(path, "config.json"))),
    tie_word_embeddings: true,
  });
  assert.equal((await read(path)).shape?.tied, true);
  const prefixed = Object.entries(baseTensors()).map(([name, shape]) => [`language_model.${name}`, shape]);
  await writeTensors(file, Object.fromEntries(prefixed));
  await refused(
    path,
    /"model\.embed_tokens\.weight" is missing \(20 of 20\); it has others, such as "language_model\./,
  );
  await writeTensors(file, { ...baseTensors(), "model.layers.1.mlp.down_proj.weight": [64, 100] });
  await refused(
    path,
    /"model\.layers\.1\.mlp\.down_proj\.weight" has the shape 64 × 100, config\.json .* 64 × 128$/,
  );
  await writeTensors(file, {
    ...baseTensors(),
    "model.layers.0.self_attn.rotary_emb.inv_freq": [8],
    "model.layers.0.self_attn.q_proj.bias": [64],
  });
  const { warnings } = await read(path);
  assert.deepEqual(warnings, [
    '1 tensor is not part of the model that config.json of "mine" describes, and left out: "model.layers.0.self_attn.q_proj.bias"',
  ]);
  assert.ok(head);
});

Deno.test("folderBase() asks the weights whether the head is the embedding", async () => {
  const path = await folder({ tie_word_embeddings: true });
  const file = join(path, "model.safetensors");
  const tied = await read(path);
  assert.equal(tied.shape?.tied, true);
  // Zeros in both: a second copy of the embedding.
  await writeTensors(file, baseTensors());
  assert.deepEqual((await read(path)).shape, tied.shape);
  const bytes = await Deno.readFile(file);
  bytes[bytes.length - 1] = 1;
  await Deno.writeFile(file, bytes);
  const own = await read(path);
  assert.equal(own.shape?.tied, false);
  assert.equal(own.shape?.parameters, tied.shape!.parameters + 6400);
});

Deno.test("folderBase() counts the weights once, whatever else lies beside them", async () => {
  const path = await folder();
  const alone = await read(path);
  for (
    const other of [
      "consolidated.safetensors",
      "original/model.safetensors",
      "checkpoints/step-1/model.safetensors",
    ]
  ) {
    await write(path, other, "");
    await writeTensors(join(path, other), baseTensors());
  }
  const beside = await read(path);
  assert.deepEqual([beside.bytes, beside.shape], [alone.bytes, alone.shape]);
  assert.deepEqual(beside.warnings, [
    'Of "mine" "model.safetensors" is read; "consolidated.safetensors" beside it is not',
  ]);
});

Deno.test("folderBase() reads the shards that the index names, and says what a wrong index lacks", async () => {
  const path = await folder();
  const whole = await read(path);
  const names = Object.keys(baseTensors());
  const shards = ["model-1.safetensors", "model-2.safetensors"];
  const weight_map = Object.fromEntries(names.map((name, i) => [name, shards[i % 2]]));
  const of = (shard: string) =>
    Object.fromEntries(Object.entries(baseTensors()).filter(([name]) => weight_map[name] === shard));
  for (const shard of shards) await writeTensors(join(path, shard), of(shard));
  // The single file is what transformers takes, also beside an index.
  await write(path, "model.safetensors.index.json", { weight_map });
  assert.equal((await read(path)).warnings.length, 1);
  await Deno.remove(join(path, "model.safetensors"));
  const sharded = await read(path);
  assert.deepEqual([sharded.shape, sharded.warnings], [whole.shape, []]);
  await writeTensors(join(path, "model-3.safetensors"), of(shards[0]!));
  assert.match(
    (await read(path)).warnings[0]!,
    /2 files are read; "model-3\.safetensors" beside them is not$/,
  );
  await Deno.remove(join(path, shards[1]!));
  await refused(path, /index\.json names "model-2\.safetensors", which is not in the folder \(1 missing\)$/);
  await write(path, "model.safetensors.index.json", {
    weight_map: Object.fromEntries(names.map((name) => [name, shards[0]])),
  });
  await refused(path, /tensor "model\..*" is missing \(10 of 21\)$/);
  await write(path, "model.safetensors.index.json", "{");
  await refused(path, /index\.json cannot be read$/);
  await Deno.remove(join(path, "model.safetensors.index.json"));
  await refused(
    path,
    /"model-1\.safetensors", but neither model\.safetensors nor model\.safetensors\.index\.json$/,
  );
});

Deno.test("folderBase() says what a tokenizer lacks, and what GGUF cannot say of it", async () => {
  const path = await folder();
  for (
    const [changes, found] of [
      [
        { model: { ...TOKENIZER.model, byte_fallback: true } },
        /its tokenizer is "SentencePiece BPE", not byte-level BPE$/,
      ],
      [{ model: { type: "Unigram", vocab: [] } }, /its tokenizer is "Unigram"/],
      [{ normalizer: { type: "Lowercase" } }, /its tokenizer .* \("Lowercase"\)$/],
      [{ pre_tokenizer: { type: "Whitespace" } }, /its pre-tokenizer$/],
      [{ pre_tokenizer: null }, /its pre-tokenizer$/],
    ] as const
  ) {
    await write(path, "tokenizer.json", { ...TOKENIZER, ...changes });
    await refused(path, found, true, /export\.gguf to false/);
    await read(path, false);
  }
  await write(path, "tokenizer.json", "[]");
  await refused(path, /its tokenizer\.json cannot be read$/);
  await Deno.remove(join(path, "tokenizer.json"));
  await refused(path, /has no tokenizer\.json$/, false);
  await write(path, "vocab.json", "{}");
  await write(path, "merges.txt", "");
  await read(path);
  await write(path, "tokenizer.model", "");
  await refused(
    path,
    /^Cannot export base "mine" as GGUF: its tokenizer is SentencePiece \("tokenizer\.model"\)/,
  );
  await read(path, false);
});
