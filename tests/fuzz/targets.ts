import { dirname, join } from "node:path";
import { importConfig } from "../../src/importers/import_config.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { TemperError } from "../../src/lib/errors.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { readLog } from "../../src/log/read.ts";
import { ggufBase } from "../../src/providers/trainer/base/gguf.ts";
import { readWeights } from "../../src/providers/trainer/base/safetensors.ts";
import { loadAll } from "../../src/spec/load.ts";
import { renderProblem } from "../../src/spec/render.ts";
import { readSource } from "../../src/steps/extract/read_source.ts";
import type { Suffix } from "../../src/steps/extract/sources.ts";
import { writeGguf } from "../providers/trainer/gguf_file.ts";
import { safetensors } from "../providers/trainer/project.ts";
import { copyFolder } from "../run/kit.ts";
import type { Material } from "./mutate.ts";

/** A reader of files that people write, copy and download. */
export interface Target {
  /** Ending of the file. */
  readonly suffix: string;
  material(): Promise<Material>;
  /** Puts beside the file what good ones refer to. */
  prepare?(folder: string): Promise<void>;
  /** Reads it. Returns what is wrong with it in words, `undefined` when it is good; throws TemperErrors only. */
  read(path: string): Promise<string | undefined>;
}

const ROOT = join(import.meta.dirname!, "..", "..");
const encoder = new TextEncoder();

async function filesOf(folder: string, ending: string, most = Infinity): Promise<Uint8Array[]> {
  const names = (await denoFs.list(join(ROOT, folder))).filter((name) => name.endsWith(ending));
  const files = await Promise.all(names.map((name) => denoFs.readBytes(join(ROOT, folder, name))));
  return files.map((bytes) => bytes.subarray(0, most));
}

const JSON_WORDS = [
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  '"',
  "\\",
  "\\u0000",
  "\\ud800",
  "null",
  "true",
  "1e999",
  "-0",
  "\n",
];

const yaml: Target = {
  suffix: ".yaml",
  async material() {
    const words = [
      "version: 1",
      "name:",
      "dataset:",
      "source:",
      "method:",
      "kind: lora",
      "provider:",
      "matrix:",
      "train:",
      "- ",
      "  ",
      "\t",
      "&a ",
      "*a",
      "<<: ",
      "!!binary ",
      "!!set ",
      "? ",
      "|",
      ">",
      "'",
      '"',
      "{",
      "}",
      "[",
      "]",
      "%YAML 1.1",
      "---",
      "...",
      "\u{FEFF}",
      "\u2028",
      "1e999",
      ".nan",
      "0x7f",
      "~",
      "#",
      ": ",
    ];
    return { samples: await filesOf("pipelines", ".yaml"), words };
  },
  prepare: (folder) => copyFolder(join(ROOT, "pipelines", "data"), join(folder, "data")),
  async read(path) {
    const loaded = await loadAll(path, denoFs);
    if (loaded.ok) return undefined;
    return loaded.problems.map((problem) => renderProblem(problem, false)).join("\n") ||
      "refused without a word";
  },
};

/** Configurations of other tools: each becomes a pipeline, or is refused. */
const config: Target = {
  suffix: ".yml",
  async material() {
    const words = [
      "datasets:",
      "path: ",
      "training:",
      "data:",
      "lora_r: ",
      "- ",
      "  ",
      ": ",
      "null",
      "'",
      '"',
      "|",
      "{",
      "[",
    ];
    const folder = "tests/importers/fixtures";
    return { samples: [...await filesOf(folder, ".yml"), ...await filesOf(folder, ".yaml")], words };
  },
  async read(path) {
    await importConfig(path, denoFs, { cwd: dirname(path), out: "pipeline.yaml" });
    return undefined;
  },
};

const CSV = 'command,action\nturn it on,"do: on, what: ""lamp"""\r\n"two\nlines",off\n';
const rows =
  '{"command":"turn on the lamp","action":"do: on","tags":["a",{"b":null}]}\n{"command":"ö\\u00fc","n":1.5}\n';

function source(suffix: Suffix, sample: string, words: readonly string[]): Target {
  return {
    suffix,
    async material() {
      const home = await filesOf("pipelines/data", ".jsonl", 3000);
      return { samples: [encoder.encode(sample), ...suffix === ".jsonl" ? home : []], words };
    },
    async read(path) {
      const problems: string[] = [];
      const note = (line: number, problem: string) => void problems.push(`${line}: ${problem}`);
      for await (const _ of readSource({ path, suffix, reading: {} }, denoFs, note));
      if (problems.some((problem) => problem.endsWith(": "))) return "refused without a word";
      return problems[0];
    },
  };
}

const CSV_WORDS = [",", '"', '""', "\r", "\n", "\r\n", "\u{FEFF}", "a", "__proto__", "\0"];

const events: Target = {
  suffix: ".jsonl",
  async material() {
    const folder = "tests/fixtures/runs/v1";
    const runs = (await denoFs.list(join(ROOT, folder))).filter((name) => !name.includes("."));
    const samples = await Promise.all(
      runs.map((run) => denoFs.readBytes(join(ROOT, folder, run, "events.jsonl"))),
    );
    const words = [
      ...JSON_WORDS,
      '"v":1',
      '"v":2',
      '"seq":1',
      '"type":"run.done"',
      '"type":"step.done"',
      "__proto__",
    ];
    return { samples, words };
  },
  async read(path) {
    await readLog(denoFs, path);
    return undefined;
  },
};

const gguf: Target = {
  suffix: ".gguf",
  material: () =>
    Promise.resolve({
      samples: ["llama", "qwen2", "qwen3", "bert"].map((arch) => writeGguf({ arch })),
      words: ["GGUF", "general.architecture", "llama.block_count", "token_embd.weight"],
    }),
  async read(path) {
    const env = { fs: denoFs, clock: systemClock, cacheDir: join(path, "..", "cache"), env: {} };
    await ggufBase("x", path, (await denoFs.stat(path))!.size, env);
    return undefined;
  },
};

const TENSORS = {
  "model.embed_tokens.weight": { dtype: "F32", shape: [100, 64], data_offsets: [0, 25_600] },
  "lm_head.weight": { dtype: "BF16", shape: [2, 2], data_offsets: [25_600, 25_608] },
};

const weights: Target = {
  suffix: ".safetensors",
  material: () =>
    Promise.resolve({
      samples: [safetensors(TENSORS, 25_608), safetensors({}, 0)],
      words: [...JSON_WORDS, "data_offsets", "shape", "dtype", "__metadata__", "__proto__"],
    }),
  async read(path) {
    await readWeights("x", join(path, ".."), [path.slice(path.lastIndexOf("/") + 1)], denoFs);
    return undefined;
  },
};

export const TARGETS: Readonly<Record<string, Target>> = {
  yaml,
  jsonl: source(".jsonl", rows, JSON_WORDS),
  json: source(".json", `[${rows.trim().replace("\n", ",")}]`, JSON_WORDS),
  csv: source(".csv", CSV, CSV_WORDS),
  tsv: source(".tsv", CSV.replaceAll(",", "\t"), [...CSV_WORDS, "\t"]),
  events,
  gguf,
  safetensors: weights,
  config,
};

/** Reads one file. Returns what a person was told; throws what nobody foresaw. */
export async function outcome(target: Target, path: string): Promise<"good" | "refused"> {
  try {
    const found = await target.read(path);
    if (found === "refused without a word") throw new Error(found);
    return found === undefined ? "good" : "refused";
  } catch (error) {
    if (error instanceof TemperError && error.message.length > 10) return "refused";
    throw error;
  }
}
