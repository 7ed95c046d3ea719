import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { inspectWith } from "../../../src/providers/inspect_with.ts";
import type { Env } from "../../../src/providers/provider.ts";
import { good, load, marked, withFolder } from "../../spec/kit.ts";
import { ggufHeader, type GgufOptions, writeGguf } from "./gguf_file.ts";
import { writeBase } from "./project.ts";

interface Case {
  readonly base?: GgufOptions;
  readonly method?: string;
  readonly quantization?: string;
  readonly force?: boolean;
}

/** Problems of a pipeline on a base with this header, as `[message, hint, what the carets mark]`. */
async function problems(
  { base, method = "kind: lora\n  rank: 8", quantization = "q8_0", force = false }: Case,
) {
  let found: (string | undefined)[][] = [];
  await withFolder(async (dir) => {
    if (base) await Deno.writeFile(join(dir, "base.gguf"), writeGguf(base));
    found = await problemsIn(dir, base ? "base.gguf" : "missing.gguf", { method, quantization, force });
  });
  return found;
}

async function problemsIn(
  dir: string,
  base: string,
  { method, quantization, force }: Required<Omit<Case, "base">>,
  asked: Env["asked"] = {},
) {
  const cacheDir = join(dir, ".temper");
  const env: Env = { fs: denoFs, clock: systemClock, cacheDir, env: { HF_HOME: dir }, asked };
  const text = good("builtin:smollm2-135m-instruct", base)
    .replace("kind: lora\n  rank: 8", method)
    .replace("q8_0", quantization);
  const result = await load(dir, text, { inspect: inspectWith(env, { force }) });
  return result.ok ? [] : result.problems.map((problem) => [problem.message, problem.hint, marked(problem)]);
}

Deno.test("inspect() finds nothing against a base that fits", async () => {
  assert.deepEqual(await problems({ base: {} }), []);
  assert.deepEqual(await problems({ base: {}, method: "kind: full" }), []);
});

Deno.test("inspect() marks the base that cannot be trained", async () => {
  const [[message, hint, mark] = []] = await problems({ base: { arch: "gemma3" } });
  assert.equal(message, 'Cannot train base "base.gguf": its architecture is "gemma3"');
  assert.equal(hint, "Supported: llama, qwen2, qwen3");
  assert.equal(mark, "base.gguf");
});

Deno.test("inspect() marks a type whose blocks the base's rows do not fill", async () => {
  const base = { changed: { feed_forward_length: 136 } };
  for (const quantization of ["q4_0", "q8_0"]) {
    assert.deepEqual(await problems({ base, quantization }), [[
      `Cannot export base "base.gguf" as ${quantization}: rows of 136 values (feed-forward) are not a multiple of the block size 32`,
      "Set provider.export.quantization to f16",
      quantization,
    ]]);
  }
  assert.deepEqual(await problems({ base, quantization: "f16" }), []);
});

Deno.test("inspect() marks a rank above the smallest layer and layers that the base does not have", async () => {
  assert.deepEqual(await problems({ base: {}, method: "kind: qlora\n  rank: 33" }), [[
    "Cannot use rank 33: the smallest layer it would update is 32 wide",
    "Use 32 or less",
    "33",
  ]]);
  const wide = "kind: lora\n  rank: 33\n  target: [gate_proj, up_proj]";
  assert.deepEqual(await problems({ base: {}, method: wide }), []);
  const method = "kind: lora\n  target: [q_proj, query]";
  assert.deepEqual(
    (await problems({ base: {}, method }))[0]?.[0],
    'Cannot update layer "query": the base has no linear layer of this name',
  );
});

/** A base with a vocabulary of this size, whose weights are zeros that take no room on the disk. */
async function writeZeros(path: string, vocab: number): Promise<void> {
  const { header, bytes } = ggufHeader({ vocab });
  await Deno.writeFile(path, header);
  await Deno.truncate(path, bytes);
}

Deno.test("inspect() refuses a training whose weights alone exceed the memory, unless it is forced", () =>
  withFolder(async (dir) => {
    // 256 billion weights
    await writeZeros(join(dir, "huge.gguf"), 4e9);
    const full = { method: "kind: full", quantization: "f16", force: false };
    const [[message, hint, mark] = []] = await problemsIn(dir, "huge.gguf", full);
    assert.match(message!, /^Cannot train full here: it needs at least 4\.1 TB, this machine has \d/);
    assert.match(hint!, /--force$/);
    assert.equal(mark, "full");
    assert.deepEqual(await problemsIn(dir, "huge.gguf", { ...full, force: true }), []);
  }));

Deno.test("inspect() refuses a training whose share of the memory, beside others, is too small for its weights", () =>
  withFolder(async (dir) => {
    await writeZeros(join(dir, "small.gguf"), 1e4);
    const full = { method: "kind: full", quantization: "f16", force: false };
    assert.deepEqual(await problemsIn(dir, "small.gguf", full, { sideBySide: 2 }), []);
    const [[message, hint, mark] = []] = await problemsIn(dir, "small.gguf", full, { sideBySide: 100_000 });
    assert.match(
      message!,
      /^Cannot train full beside other runs: it needs at least .*, this machine has .* for 100000 at the same time$/,
    );
    assert.match(hint!, /--parallel.*--force$/);
    assert.equal(mark, "full");
    assert.deepEqual(
      await problemsIn(dir, "small.gguf", { ...full, force: true }, { sideBySide: 100_000 }),
      [],
    );
  }));

Deno.test("inspect() says nothing of a model that has to be downloaded first", () =>
  withFolder(async (dir) => {
    assert.deepEqual(
      await problemsIn(dir, "owner/name", { method: "kind: full", quantization: "q4_0", force: false }),
      [],
    );
  }));

Deno.test("inspect() says of a hub id what it says of the folder that the hub's cache has", () =>
  withFolder(async (dir) => {
    const commit = "0123456789abcdef0123456789abcdef01234567";
    const repository = join(dir, "hub", "models--owner--name");
    const snapshot = join(repository, "snapshots", commit);
    const found = async () => {
      const asked = { method: "kind: lora\n  rank: 33", quantization: "f16", force: false };
      const byId = await problemsIn(dir, "owner/name", asked);
      const byFolder = await problemsIn(dir, snapshot, asked);
      return {
        byId: JSON.stringify(byId),
        byFolder: JSON.stringify(byFolder).replaceAll(snapshot, "owner/name"),
      };
    };
    await Deno.mkdir(join(repository, "refs"), { recursive: true });
    await Deno.writeTextFile(join(repository, "refs", "main"), commit);
    assert.equal((await found()).byId, "[]");
    await writeBase(snapshot);
    const fits = await found();
    assert.equal(fits.byId, fits.byFolder);
    assert.match(fits.byId, /Cannot use rank 33/);
    // The weights are not there yet.
    await Deno.remove(join(snapshot, "model.safetensors"));
    assert.equal((await found()).byId, "[]");
    await writeBase(snapshot, { model_type: "gemma2" });
    const refused = await found();
    assert.equal(refused.byId, refused.byFolder);
    assert.match(
      refused.byId,
      /Cannot export base \\"owner\/name\\" as GGUF: its model_type is \\"gemma2\\"/,
    );
    await Deno.remove(join(snapshot, "model.safetensors"));
    assert.equal((await found()).byId, refused.byId);
  }));
