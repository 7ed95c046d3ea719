import { join } from "../../../deps/path.ts";
import { z } from "../../../deps/zod.ts";
import { findJson, writeJson } from "../../../lib/json/json_file.ts";
import type { Spec } from "../../../spec/schema/schema.ts";
import type { Env } from "../../provider.ts";
import {
  allowed,
  type DeviceKind,
  type Dtype,
  type FastType,
  type FastTypes,
  fastTypes,
  hardwareFacts,
} from "./device_table.ts";
import { DeviceAnswer } from "./probe.ts";

export type { DeviceKind } from "./device_table.ts";

const Machine = z.object({
  version: z.literal(1),
  /** Speeds, by device and type; by the device alone in the files of earlier versions, which knew one type for each. */
  devices: z.record(
    z.string(),
    z.object({
      /** Floating point operations a second that the last training reached. */
      flopsPerSecond: z.number().positive(),
      /** Bytes of a GPU. */
      memory: z.number().positive().optional(),
      measured: z.string(),
    }),
  ),
  /** What the trainer said of its devices, by host and Python environment. */
  answers: z.record(z.string(), DeviceAnswer).default({}),
});
type Machine = z.infer<typeof Machine>;

/** What a CPU core with AVX2 reaches in fp32 training when nothing has been measured yet. */
const ASSUMED_FLOPS_PER_CORE = 20e9;
/** bf16 on a CPU that has it, as multiples of fp32: long rows gain more, short ones less. */
const BF16_SPEEDUP = 2;
/** What earlier versions took by themselves: their speeds do not name the type. */
const EARLIER_DTYPE: Readonly<Record<DeviceKind, Dtype>> = { cpu: "fp32", cuda: "bf16", mps: "fp32" };

export interface Speed {
  readonly flopsPerSecond: number;
  /** A training here has reached it; otherwise it is assumed. */
  readonly measured: boolean;
  /** Where the figure comes from, in words. */
  readonly basis: string;
}

/** What a training here would run on. */
export interface Device {
  readonly kind: DeviceKind;
  /** Type of the frozen weights and of what is computed. */
  readonly dtype: Dtype;
  /** The reason of the type. */
  readonly why: string;
  /** Bytes, where they are known. */
  readonly memory: number | undefined;
  /** How many of them: one, unless `--memory` names more. */
  readonly count: number;
  /** `undefined`: nothing was measured, and nothing can be assumed. */
  readonly speed: Speed | undefined;
  /** Bytes of a weight that is not trained itself. */
  readonly weightBytes: number;
}

/** The machine itself, as the command line finds it. */
export interface Host {
  readonly cores: number;
  /** Bytes of main memory that may be used. */
  readonly memory: number;
  /** `undefined`: Deno may not say. */
  readonly name: string | undefined;
}

/** This machine. */
export function thisHost(): Host {
  return {
    cores: navigator.hardwareConcurrency,
    memory: Deno.systemMemoryInfo().total,
    name: allowed(() => Deno.hostname()),
  };
}

function file(env: Env): string {
  return join(env.cacheDir, "machine.json");
}

async function readMachine(env: Env): Promise<Machine | undefined> {
  try {
    return await findJson(file(env), Machine, env.fs);
  } catch {
    return undefined; // a damaged record is treated like a missing one
  }
}

/** The device that `train.device` and `train.dtype` come to here, as the trainer decides it. Starts no Python. */
export async function deviceFor(train: Spec["train"], env: Env, host: Host): Promise<Device> {
  const asked = env.asked?.memory;
  const machine = await readMachine(env);
  const types = asked ? {} : await typesHere(machine, env, host.name);
  // Sizes on the command line are those of GPUs, unless the file asks for another device.
  const kind = train.device === "auto" ? firstOf(types) : train.device;
  const found = types[kind];
  const { dtype, why } = train.dtype === "auto"
    ? found ?? assumedType(kind, asked !== undefined)
    : { dtype: train.dtype, why: "set in train.dtype" };
  const known = machine?.devices[`${kind} ${dtype}`] ??
    (dtype === EARLIER_DTYPE[kind] ? machine?.devices[kind] : undefined);
  return {
    kind,
    dtype,
    why,
    memory: asked
      ? usableMemory(kind, asked.each)
      : memoryOf(kind, found?.memory ?? known?.memory, host.memory),
    count: asked?.count ?? 1,
    speed: asked
      ? undefined
      : known
      ? measuredSpeed(known)
      : kind === "cpu"
      ? assumedSpeed(host.cores, dtype)
      : undefined,
    weightBytes: bytesOf(dtype),
  };
}

/** Bytes of a weight in a type. */
export function bytesOf(dtype: Dtype): number {
  return dtype === "fp32" ? 4 : 2;
}

/** What the trainer said here, or else what can be found out without it. */
async function typesHere(
  machine: Machine | undefined,
  env: Env,
  host: string | undefined,
): Promise<FastTypes> {
  const answers = Object.entries(machine?.answers ?? {});
  const key = answerKey(host ?? "", env);
  // Without the right to ask for the host's name, the environment's has to do.
  const found = answers.find(([name]) => host === undefined ? name.endsWith(key) : name === key);
  return found ? found[1].devices : fastTypes(await hardwareFacts(env));
}

function answerKey(host: string, { env }: Env): string {
  return `${host} ${env["TEMPER_PYTHON"] || env["TEMPER_TORCH_BACKEND"] || "lock"}`;
}

function firstOf(types: FastTypes): DeviceKind {
  return (["cuda", "mps", "cpu"] as const).find((kind) => types[kind]) ?? "cuda";
}

/** The type on a device that is described, or that the file names although it is not here. */
export function assumedType(kind: DeviceKind, described: boolean): FastType {
  const why = described ? "assumed for a described device" : "assumed: this machine shows no such device";
  return { dtype: kind === "cpu" ? "fp32" : "bf16", why };
}

function memoryOf(kind: DeviceKind, known: number | undefined, host: number): number | undefined {
  if (kind === "cuda") return known;
  return kind === "mps" ? known ?? metalMemory(host) : host;
}

/** What a device can use of the memory that it was described with: of an Apple computer's, what Metal allows. */
export function usableMemory(kind: DeviceKind, described: number): number {
  return kind === "mps" ? metalMemory(described) : described;
}

/** What Metal lets a program use of an Apple computer's memory: two thirds, and three quarters of more than 36 GB. */
export function metalMemory(machine: number): number {
  return Math.round(machine * (machine <= 36 * 2 ** 30 ? 2 / 3 : 3 / 4));
}

function measuredSpeed({ flopsPerSecond, measured }: Machine["devices"][string]): Speed {
  return {
    flopsPerSecond,
    measured: true,
    basis: `${gigaflops(flopsPerSecond)} measured here on ${measured.slice(0, 10)}`,
  };
}

/** What a training is assumed to reach on a CPU before one was measured. */
export function assumedSpeed(cores: number, dtype: Dtype): Speed {
  const flopsPerSecond = cores * ASSUMED_FLOPS_PER_CORE * (dtype === "bf16" ? BF16_SPEEDUP : 1);
  const basis = `${gigaflops(flopsPerSecond)} assumed for ${cores} cores; the first run will measure it`;
  return { flopsPerSecond, measured: false, basis };
}

/** Keeps what a finished training measured, for later estimates. */
export async function recordSpeed(
  env: Env,
  { device, dtype }: { readonly device: string; readonly dtype: string },
  measured: { readonly flopsPerSecond: number; readonly memory?: number | undefined },
): Promise<void> {
  const { flopsPerSecond, memory } = measured;
  const today = new Date(env.clock.now()).toISOString();
  const entry = { flopsPerSecond, ...memory !== undefined && { memory }, measured: today };
  await change(env, (machine) => ({
    ...machine,
    devices: { ...machine.devices, [`${device} ${dtype}`]: entry },
  }));
}

/** Whether the trainer in this environment has said which devices it finds on this host. */
export async function isAnswered(env: Env, host: Host): Promise<boolean> {
  return (await readMachine(env))?.answers[answerKey(host.name ?? "", env)] !== undefined;
}

/** Keeps what the trainer said of its devices, for `plan`. */
export async function recordAnswer(env: Env, answer: DeviceAnswer): Promise<void> {
  const key = answerKey(answer.host, env);
  await change(env, (machine) => ({ ...machine, answers: { ...machine.answers, [key]: answer } }));
}

async function change(env: Env, edit: (machine: Machine) => Machine): Promise<void> {
  const machine = await readMachine(env) ?? { version: 1, devices: {}, answers: {} };
  await env.fs.mkdirp(env.cacheDir);
  await writeJson(file(env), edit(machine), env.fs);
}

function gigaflops(flops: number): string {
  return `${Math.round(flops / 1e9)} GFLOP/s`;
}
