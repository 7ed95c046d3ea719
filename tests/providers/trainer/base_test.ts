import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { denoFs, sha256 } from "../../../src/lib/files/fs.ts";
import { type BaseInfo, rememberFiles } from "../../../src/providers/trainer/base/base.ts";
import { describeBase } from "../../../src/providers/trainer/base/describe.ts";
import { Spec } from "../../../src/spec/schema/schema.ts";
import { writeGguf } from "./gguf_file.ts";
import { safetensors, writeBase } from "./project.ts";

const dir = await Deno.makeTempDir();
const env = { fs: denoFs, clock: systemClock, cacheDir: join(dir, "cache"), env: {} };
let made = 0;

function describe(base: string, provider: object = {}): Promise<BaseInfo> {
  const spec = Spec.parse({
    version: 1,
    name: "home",
    dataset: { source: "home.jsonl" },
    method: { kind: "lora" },
    provider: { kind: "local", base, ...provider },
  });
  return describeBase({ spec, path: join(dir, "pipeline.yaml"), dir, text: "" }, env);
}

async function folder(config: Record<string, unknown> = {}): Promise<string> {
  const name = `base-${++made}`;
  await writeBase(join(dir, name), config);
  return name;
}

async function gguf(options: Parameters<typeof writeGguf>[0] = {}): Promise<string> {
  const name = `base-${++made}.gguf`;
  await Deno.writeFile(join(dir, name), writeGguf(options));
  return name;
}

Deno.test("describeBase() knows a builtin without its file", async () => {
  const base = await describe("builtin:smollm2-135m-instruct");
  assert.equal(base.shape?.parameters, 134_515_008);
  assert.equal(base.template, "chatml");
  await assert.rejects(describe("builtin:smollm3"), {
    code: "base-missing",
    hint: "Known: builtin:smollm2-135m-instruct",
  });
});

Deno.test("describeBase() reads architecture, shape and template from a GGUF header", async () => {
  const name = await gguf();
  const base = await describe(name);
  const digest = sha256(await Deno.readFile(join(dir, name)));
  assert.deepEqual(base.identity, { kind: "gguf", sha256: digest });
  assert.deepEqual(base.job, { kind: "gguf", path: join(dir, name), sha256: digest });
  assert.deepEqual(base.shape, {
    layers: 2,
    hidden: 64,
    feedForward: 128,
    heads: 4,
    kvHeads: 2,
    headDim: 16,
    vocab: 10,
    tied: true,
    parameters: 640 + 64 + 2 * (3 * 64 * 128 + 2 * 64 * 64 + 2 * 64 * 32 + 2 * 64),
  });
  assert.deepEqual([base.arch, base.context, base.quantization, base.template], [
    "llama",
    512,
    "F32",
    "chatml",
  ]);
});

Deno.test("describeBase() refuses a GGUF file that was cut short anywhere", async () => {
  const whole = writeGguf();
  for (const kept of [0, 3, 20, 200, whole.length - 300, whole.length - 1]) {
    const name = `cut-${kept}.gguf`;
    await Deno.writeFile(join(dir, name), whole.subarray(0, kept));
    await assert.rejects(describe(name), (error: Error & { code: string }) => {
      // Less than a magic number is no GGUF file at all.
      assert.equal(
        error.code,
        kept === 3 ? "base-unreadable" : "base-truncated",
        `${kept}: ${error.message}`,
      );
      return true;
    });
  }
});

Deno.test("describeBase() names the supported architectures when it refuses one", async () => {
  const base = await gguf({ arch: "gemma2" });
  await assert.rejects(describe(base), {
    code: "base-unsupported",
    message: `Cannot train base "${base}": its architecture is "gemma2"`,
    hint: "Supported: llama, qwen2, qwen3",
  });
});

Deno.test("describeBase() refuses a file that is no GGUF", async () => {
  await Deno.writeTextFile(join(dir, "text.gguf"), "not a model\n".repeat(100));
  await assert.rejects(describe("text.gguf"), { code: "base-unreadable", message: /as GGUF: .*[^.]$/ });
});

Deno.test("describeBase() reads a Hugging Face folder", async () => {
  const name = await folder({ tie_word_embeddings: true });
  await Deno.writeTextFile(join(dir, name, "chat_template.jinja"), "<|start_header_id|> <|eot_id|>");
  const base = await describe(name);
  assert.equal(base.shape?.parameters, 6400 + 74_688 - 640);
  assert.equal(base.shape?.tied, true);
  assert.equal(base.quantization, "F32");
  assert.equal(base.template, "llama3");
  assert.equal(base.files.length, 4);
  const before = base.identity["sha256"];
  await Deno.writeTextFile(join(dir, name, "chat_template.jinja"), "changed");
  assert.notEqual((await describe(name)).identity["sha256"], before);
});

Deno.test("describeBase() refuses folders without safetensors, and says why pickles are not read", async () => {
  const pickles = await folder();
  await Deno.rename(join(dir, pickles, "model.safetensors"), join(dir, pickles, "pytorch_model.bin"));
  await assert.rejects(describe(pickles), {
    code: "base-pickle",
    message: /weights are pickles \("pytorch_model\.bin"\), which can run code when loaded$/,
  });
  await Deno.remove(join(dir, pickles, "pytorch_model.bin"));
  await assert.rejects(describe(pickles), { message: /has no \.safetensors file$/ });
  await Deno.remove(join(dir, pickles, "config.json"));
  await assert.rejects(describe(pickles), { message: /has no config\.json$/ });
});

Deno.test("describeBase() refuses safetensors that are cut short or something else", async () => {
  const name = await folder();
  const path = join(dir, name, "model.safetensors");
  const whole = await Deno.readFile(path);
  for (
    const [bytes, found] of [
      [whole.subarray(0, 5), "is truncated"],
      [whole.subarray(0, 40), "is truncated"],
      [whole.subarray(0, whole.length - 1), "is truncated: its tensors end at byte"],
      [new Uint8Array(100).fill(65), "is not a safetensors file"],
      [safetensors({ weight: { dtype: 7 } }, 0), "is not a safetensors file"],
    ] as const
  ) {
    await Deno.writeFile(path, bytes);
    await assert.rejects(describe(name), { code: "base-unreadable", message: new RegExp(found) });
  }
});

Deno.test("describeBase() warns of a hub revision that can move", async () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";
  assert.deepEqual((await describe("owner/name", { revision: commit })).warnings, []);
  const base = await describe("owner/name");
  assert.equal(base.warnings.length, 1);
  assert.deepEqual(base.identity, { kind: "hub", id: "owner/name", revision: "main" });
  assert.equal(base.shape, null);
});

Deno.test("describeBase() says what can be named when there is nothing of that name", async () => {
  for (const base of ["./nowhere", "nowhere.gguf", "/nowhere/at/all"]) {
    await assert.rejects(describe(base), { code: "base-missing", hint: /hub id/ });
  }
});

Deno.test("rememberFiles() keeps digests of files that have settled", async () => {
  const name = await gguf();
  await Deno.utime(join(dir, name), 1, 1);
  await rememberFiles(await describe(name), env);
  const { mtime } = await Deno.stat(join(dir, name));
  const other = writeGguf();
  other[other.length - 1] = 1;
  await Deno.writeFile(join(dir, name), other);
  await Deno.utime(join(dir, name), mtime!, mtime!);
  // The same size, time and inode: what is remembered is believed, which is what saves the reading.
  assert.equal((await describe(name)).identity["sha256"], sha256(writeGguf()));
});
