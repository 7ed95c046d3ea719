import { z } from "../../../deps/zod.ts";
import { captureProcess } from "../../../lib/process.ts";
import type { Env, Work } from "../../provider.ts";
import { join } from "../../../deps/path.ts";
import { trainerEnv } from "./child_env.ts";
import type { Trainer } from "./trainer_dir.ts";

const Capabilities = z.object({
  torch: z.string(),
  threads: z.int(),
  /** Name of the CUDA device, where there is one. */
  cuda: z.string().nullable(),
  mps: z.boolean(),
  bf16: z.boolean(),
  /** Modules the trainer needs that cannot be imported. */
  absent: z.array(z.string()),
  /** Bytes of each builtin base's file, by its package; null where it is not there. */
  bases: z.record(z.string(), z.number().nullable()),
});
export type Capabilities = z.infer<typeof Capabilities>;

const MODULES = ["torch", "transformers", "peft", "gguf", "safetensors", "tokenizers", "numpy", "pydantic"];

/** File of the trainer that decides on the number of threads; it needs no other. */
const THREADS = "temper_trainer/training/threads.py";

/** What the trainer could use; asks its own code where that decides. */
const QUESTION = `
import importlib.util as util, json, pathlib, sys
modules, files, threads = json.loads(sys.argv[1])
exec(threads)
absent = [name for name in modules if util.find_spec(name) is None]
bases = {}
for package, file in files.items():
    spec = util.find_spec(package)
    path = spec and pathlib.Path(spec.origin).parent / file
    bases[package] = path.stat().st_size if path and path.is_file() else None
import torch
cuda = torch.cuda.is_available()
print(json.dumps({
    "torch": torch.__version__, "threads": thread_count(), "absent": absent, "bases": bases,
    "cuda": torch.cuda.get_device_name(0) if cuda else None, "mps": torch.backends.mps.is_available(),
    "bf16": cuda and torch.cuda.is_bf16_supported(),
}))
`;

/** Asks a made environment what it can do. `undefined` when torch cannot be imported in it. */
export async function probeEnvironment(
  python: string,
  files: Readonly<Record<string, string>>,
  { env, trainer, signal }: {
    readonly env: Env;
    readonly trainer: Trainer;
    readonly signal: AbortSignal;
  },
): Promise<Capabilities | undefined> {
  const answer = await captureProcess({
    command: python,
    args: ["-c", QUESTION, JSON.stringify([MODULES, files, await trainer.text(THREADS)])],
    env: trainerEnv(env.env),
    signal,
  });
  try {
    return Capabilities.parse(JSON.parse(answer?.trim().split("\n").at(-1) ?? ""));
  } catch {
    return undefined; // an interpreter that prints something else cannot run the trainer either
  }
}

/**
 * Variables that give a training its share of the processor where several run side by side. OMP_NUM_THREADS, where it
 * is set, is what each of them gets.
 */
export async function threadShare(
  { env, asked, fs, signal }: Pick<Work, "env" | "asked" | "fs" | "signal">,
  python: string,
  trainerDir: string,
): Promise<Readonly<Record<string, string>>> {
  const { sideBySide = 1 } = asked ?? {};
  if (sideBySide === 1 || env["OMP_NUM_THREADS"]) return {};
  const question = `${await fs.readText(join(trainerDir, THREADS))}\nprint(thread_count())`;
  const answer = await captureProcess({
    command: python,
    args: ["-c", question],
    env: trainerEnv(env),
    signal,
  });
  const threads = Number(answer) || navigator.hardwareConcurrency;
  return { OMP_NUM_THREADS: String(Math.max(1, Math.floor(threads / sideBySide))) };
}
