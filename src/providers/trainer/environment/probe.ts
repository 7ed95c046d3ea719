import { join } from "../../../deps/path.ts";
import { z } from "../../../deps/zod.ts";
import { captureProcess } from "../../../lib/process.ts";
import type { Env, Work } from "../../provider.ts";
import { trainerEnv } from "./child_env.ts";
import type { Trainer } from "./trainer_dir.ts";

const device = z.object({
  dtype: z.enum(["fp32", "bf16", "fp16"]),
  why: z.string(),
  /** Of a GPU. */
  name: z.string().optional(),
  memory: z.number().optional(),
  count: z.int().optional(),
});

/** What the trainer says of the devices that PyTorch finds (training/precision.py): the one that auto takes first. */
export const DeviceAnswer = z.object({
  torch: z.string(),
  host: z.string(),
  devices: z.object({ cuda: device.optional(), mps: device.optional(), cpu: device }),
});
export type DeviceAnswer = z.infer<typeof DeviceAnswer>;

const Capabilities = DeviceAnswer.extend({
  threads: z.int(),
  /** Modules the trainer needs that cannot be imported. */
  absent: z.array(z.string()),
  /** Bytes of each builtin base's file, by its package; null where it is not there. */
  bases: z.record(z.string(), z.number().nullable()),
});
export type Capabilities = z.infer<typeof Capabilities>;

const MODULES = ["torch", "transformers", "peft", "gguf", "safetensors", "tokenizers", "numpy", "pydantic"];

/** Files of the trainer that decide on threads and types; they need no other. */
const THREADS = "temper_trainer/training/threads.py";
const DECIDING = [THREADS, "temper_trainer/training/precision.py"];

/** What the trainer could use; asks its own code where that decides. */
const QUESTION = `
import importlib.util as util, json, pathlib, sys
modules, files, deciding = json.loads(sys.argv[1])
for text in deciding:
    exec(text)
absent = [name for name in modules if util.find_spec(name) is None]
bases = {}
for package, file in files.items():
    spec = util.find_spec(package)
    path = spec and pathlib.Path(spec.origin).parent / file
    bases[package] = path.stat().st_size if path and path.is_file() else None
print(json.dumps({"threads": thread_count(), "absent": absent, "bases": bases, **devices()}))
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
  const deciding = await Promise.all(DECIDING.map((name) => trainer.text(name)));
  const answer = await captureProcess({
    command: python,
    args: ["-c", QUESTION, JSON.stringify([MODULES, files, deciding])],
    env: trainerEnv(env.env),
    signal,
  });
  return answerOf(Capabilities, answer?.trim().split("\n").at(-1));
}

/** Asks the trainer for its devices. `undefined` when it cannot say: it will decide all the same when it trains. */
export async function askDevices(
  python: string,
  trainerDir: string,
  env: Env,
  signal: AbortSignal,
): Promise<DeviceAnswer | undefined> {
  const args = ["-m", "temper_trainer", "devices"];
  return answerOf(
    DeviceAnswer,
    await captureProcess({ command: python, args, env: trainerEnv(env.env, trainerDir), signal }),
  );
}

function answerOf<T>(schema: z.ZodType<T>, text: string | undefined): T | undefined {
  try {
    return schema.parse(JSON.parse(text ?? ""));
  } catch {
    return undefined; // an interpreter that prints something else cannot run the trainer either
  }
}

/**
 * Variables that give each worker of a training its share of the processor where several trainings run side by side.
 * OMP_NUM_THREADS, where it is set, is what each gets.
 */
export async function threadShare(
  { env, asked, fs, signal }: Pick<Work, "env" | "asked" | "fs" | "signal">,
  python: string,
  trainerDir: string,
  workers = 1,
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
  return { OMP_NUM_THREADS: String(Math.max(1, Math.floor(threads / (sideBySide * workers)))) };
}
