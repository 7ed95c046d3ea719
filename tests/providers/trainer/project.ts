// deno-lint-ignore-file camelcase -- names of config.json and job.json
import { join } from "../../../src/deps/path.ts";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../../src/lib/clock.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import type { ConfigureWork, Env, JobRef, MonitorWork, Progress } from "../../../src/providers/provider.ts";
import { findPython } from "../../../src/providers/trainer/environment/python.ts";
import type { LoadedSpec } from "../../../src/spec/load.ts";
import { Spec } from "../../../src/spec/schema/schema.ts";
import { until } from "../../until.ts";
import { runNames } from "../../hermetic.ts";

/** A trainer that obeys the contract and learns nothing. */
export const DOUBLE = fileURLToPath(new URL("../../fixtures/trainer_double", import.meta.url));

const SHAPE = {
  hidden_size: 64,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_hidden_layers: 2,
  intermediate_size: 128,
  vocab_size: 100,
  max_position_embeddings: 512,
};

/** A temporary project: a base, examples, a run folder, and what providers are handed of the world. */
export class Project implements AsyncDisposable {
  readonly said: Progress[] = [];
  readonly jobs: JobRef[] = [];
  readonly stop = new AbortController();

  private constructor(readonly dir: string, readonly env: Env, readonly loaded: LoadedSpec) {}

  /** `name` tells the trainer double how to behave. */
  static async make(name: string, changes: object = {}): Promise<Project> {
    const dir = await Deno.realPath(await Deno.makeTempDir());
    const env: Env = { fs: denoFs, clock: systemClock, cacheDir: join(dir, "cache"), env: await variables() };
    await writeBase(join(dir, "base"));
    await Deno.mkdir(join(dir, "examples"));
    const rows = ["on", "off"].map((text, i) => ({
      origin: `home.jsonl:${i + 1}`,
      messages: conversation(text),
    }));
    await Deno.writeTextFile(
      join(dir, "examples", "train.jsonl"),
      rows.map((row) => JSON.stringify(row) + "\n").join(""),
    );
    const spec = Spec.parse({
      version: 1,
      name,
      dataset: { source: "home.jsonl" },
      method: { kind: "lora", rank: 4 },
      provider: { kind: "local", base: "base" },
      ...changes,
    });
    return new Project(dir, env, { spec, path: join(dir, "pipeline.yaml"), dir, text: "" });
  }

  get jobDir(): string {
    return join(this.runDir(), "job");
  }

  runDir(run = "run-1"): string {
    return join(this.dir, "runs", run);
  }

  /** Everything a provider may ask for, in one object. */
  async work(
    run = "run-1",
  ): Promise<ConfigureWork & MonitorWork & { submitted(job: JobRef): Promise<void> }> {
    const out = await Deno.makeTempDir({ dir: this.dir });
    await Deno.mkdir(this.runDir(run), { recursive: true });
    return {
      ...this.env,
      loaded: this.loaded,
      key: "0".repeat(64),
      runId: run,
      runDir: this.runDir(run),
      out,
      examples: join(this.dir, "examples"),
      configured: join(this.dir, "configured"),
      job: this.jobs.at(-1)!,
      signal: this.stop.signal,
      records: [],
      record: () => Promise.resolve(),
      progress: (progress) => void this.said.push(progress),
      submitted: (job) => Promise.resolve(void this.jobs.push(job)),
    };
  }

  messages(): string[] {
    return this.said.flatMap(({ message }) => message ?? []);
  }

  /** Ends the trainers that still run; one that was just started has its lock only after a moment. */
  async [Symbol.asyncDispose](): Promise<void> {
    await until("the folder to be left alone", async () => {
      for (const run of await runNames(join(this.dir, "runs"))) {
        await killTrainers(join(this.runDir(run), "job"));
      }
      return await Deno.remove(this.dir, { recursive: true }).then(() => true, () => false);
    });
  }
}

export function conversation(answer: string) {
  return [
    { role: "system", content: "Home:" },
    { role: "user", content: `turn it ${answer}` },
    { role: "assistant", content: answer },
  ];
}

/** Process numbers of all trainers that were started in a job folder. */
export async function starts(jobDir: string): Promise<number[]> {
  const path = join(jobDir, "starts");
  if (!await denoFs.stat(path)) return [];
  return (await Deno.readTextFile(path)).trim().split("\n").map(Number);
}

async function killTrainers(jobDir: string): Promise<void> {
  await until("the end of the trainer", async () => {
    if (!await denoFs.isLocked(join(jobDir, "lock"))) return true;
    const pid = parseInt(await Deno.readTextFile(join(jobDir, "lock")), 10);
    try {
      // It may not have written its number yet, and 0 would be this process's own group.
      if (pid > 0) Deno.kill(pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return false;
  });
}

/** The environment of this process with a secret in it, and a Python that can run the double. */
export async function variables(): Promise<Record<string, string | undefined>> {
  const all = { ...Deno.env.toObject(), SECRET_TOKEN: "s3cret" };
  const env: Env = { fs: denoFs, clock: systemClock, cacheDir: "", env: all };
  // The double needs nothing but Python itself.
  return { ...all, TEMPER_PYTHON: (await findPython(env, new AbortController().signal)).path };
}

/** A tokenizer that a GGUF file can hold. */
export const TOKENIZER = {
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
  model: { type: "BPE", vocab: {}, merges: [] },
};

/** config.json, a tokenizer and a safetensors file of zeros with every tensor that such a model has. */
export async function writeBase(dir: string, changes: Record<string, unknown> = {}): Promise<void> {
  await Deno.mkdir(dir, { recursive: true });
  const config = { model_type: "llama", ...SHAPE, ...changes };
  await Deno.writeTextFile(join(dir, "config.json"), JSON.stringify(config));
  await Deno.writeTextFile(join(dir, "tokenizer.json"), JSON.stringify(TOKENIZER));
  await writeTensors(join(dir, "model.safetensors"), baseTensors(config));
}

/** Shapes of the tensors of a llama, by name. */
export function baseTensors(config: Record<string, unknown> = {}): Record<string, number[]> {
  const { hidden_size: h, intermediate_size: f, vocab_size: v, num_hidden_layers: layers } = {
    ...SHAPE,
    ...config,
  };
  const kv = h / 2;
  const layer = {
    "input_layernorm.weight": [h],
    "post_attention_layernorm.weight": [h],
    "self_attn.q_proj.weight": [h, h],
    "self_attn.k_proj.weight": [kv, h],
    "self_attn.v_proj.weight": [kv, h],
    "self_attn.o_proj.weight": [h, h],
    "mlp.gate_proj.weight": [f, h],
    "mlp.up_proj.weight": [f, h],
    "mlp.down_proj.weight": [h, f],
  };
  const blocks = Array.from(
    { length: layers },
    (_, at) => Object.entries(layer).map(([name, shape]) => [`model.layers.${at}.${name}`, shape]),
  ).flat();
  return {
    "model.embed_tokens.weight": [v, h],
    "model.norm.weight": [h],
    ...Object.fromEntries(blocks),
    ...config["tie_word_embeddings"] === true ? {} : { "lm_head.weight": [v, h] },
  };
}

/** A safetensors file of zeros. `types`: of tensors that are not F32. */
export async function writeTensors(
  path: string,
  shapes: Record<string, number[]>,
  types: Record<string, string> = {},
): Promise<void> {
  let at = 0;
  const header = Object.entries(shapes).map(([name, shape]) => {
    const start = at;
    const dtype = types[name] ?? "F32";
    at += shape.reduce((product, n) => product * n, 1) * (dtype === "F32" ? 4 : 1);
    return [name, { dtype, shape, data_offsets: [start, at] }];
  });
  await Deno.writeFile(path, safetensors(Object.fromEntries(header), at));
}

export function safetensors(tensors: object, bytes: number): Uint8Array {
  const header = new TextEncoder().encode(JSON.stringify({ __metadata__: { format: "pt" }, ...tensors }));
  const file = new Uint8Array(8 + header.length + bytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  return file;
}
