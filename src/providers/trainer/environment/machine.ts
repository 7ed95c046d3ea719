import { join } from "../../../deps/path.ts";
import { z } from "../../../deps/zod.ts";
import { findJson, writeJson } from "../../../lib/json/json_file.ts";
import type { Spec } from "../../../spec/schema/schema.ts";
import type { Env } from "../../provider.ts";
import { findProgram } from "../../../lib/find_program.ts";

const Machine = z.object({
  version: z.literal(1),
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
});
type Machine = z.infer<typeof Machine>;

/** What a CPU core with AVX2 reaches in fp32 training when nothing has been measured yet. */
const ASSUMED_FLOPS_PER_CORE = 20e9;
/** Comes with NVIDIA's driver. */
const NVIDIA = "nvidia-smi";

export interface Speed {
  readonly flopsPerSecond: number;
  /** Where the figure comes from, in words. */
  readonly basis: string;
}

export type DeviceKind = "cpu" | "cuda" | "mps";

/** What a training here would run on. */
export interface Device {
  readonly kind: DeviceKind;
  /** Bytes, where they are known: a GPU says how many it has once something was trained on it. */
  readonly memory: number | undefined;
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
}

/** This machine. */
export function thisHost(): Host {
  return { cores: navigator.hardwareConcurrency, memory: Deno.systemMemoryInfo().total };
}

function file(env: Env): string {
  return join(env.cacheDir, "machine.json");
}

async function readMachine(env: Env): Promise<Machine | undefined> {
  try {
    return await findJson(file(env), Machine, env.fs);
  } catch {
    return undefined; // a damaged record of the speed is treated like a missing one
  }
}

/** The device that `train.device` and `train.dtype` come to here, as the trainer decides it. Starts nothing. */
export async function deviceFor(train: Spec["train"], env: Env, host: Host): Promise<Device> {
  const devices = (await readMachine(env))?.devices ?? {};
  const kind = train.device === "auto" ? await likelyDevice(devices, env) : train.device;
  const known = devices[kind];
  const dtype = train.dtype === "auto" ? (kind === "cuda" ? "bf16" : "fp32") : train.dtype;
  return {
    kind,
    memory: kind === "cuda" ? known?.memory : host.memory,
    speed: known
      ? {
        flopsPerSecond: known.flopsPerSecond,
        basis: `${gigaflops(known.flopsPerSecond)} measured here on ${known.measured.slice(0, 10)}`,
      }
      : kind === "cpu"
      ? assumedSpeed(host.cores)
      : undefined,
    weightBytes: dtype === "bf16" ? 2 : 4,
  };
}

/** What a training is assumed to reach on a CPU before one was measured. */
export function assumedSpeed(cores: number): Speed {
  const flopsPerSecond = cores * ASSUMED_FLOPS_PER_CORE;
  const basis = `${gigaflops(flopsPerSecond)} assumed for ${cores} cores; the first run will measure it`;
  return { flopsPerSecond, basis };
}

async function likelyDevice(devices: Machine["devices"], env: Env): Promise<DeviceKind> {
  return devices["cuda"] || await findProgram(NVIDIA, env) ? "cuda" : "cpu";
}

/** Keeps what a finished training measured, for later estimates. */
export async function recordSpeed(
  env: Env,
  device: string,
  measured: { readonly flopsPerSecond: number; readonly memory?: number | undefined },
): Promise<void> {
  const machine = await readMachine(env) ?? { version: 1, devices: {} };
  const { flopsPerSecond, memory } = measured;
  const today = new Date(env.clock.now()).toISOString();
  const entry = { flopsPerSecond, ...memory !== undefined && { memory }, measured: today };
  const devices = { ...machine.devices, [device]: entry };
  await env.fs.mkdirp(env.cacheDir);
  await writeJson(file(env), { version: 1, devices }, env.fs);
}

function gigaflops(flops: number): string {
  return `${Math.round(flops / 1e9)} GFLOP/s`;
}
