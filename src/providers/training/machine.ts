import { join } from "node:path";
import { z } from "zod";
import type { Env } from "../provider.ts";

const Machine = z.object({
  version: z.literal(1),
  /** Floating point operations a second that the last training on each device reached. */
  devices: z.record(z.string(), z.object({ flopsPerSecond: z.number().positive(), measured: z.string() })),
});
type Machine = z.infer<typeof Machine>;

/** What a CPU core with AVX2 reaches in fp32 training when nothing has been measured yet. */
const ASSUMED_FLOPS_PER_CORE = 20e9;

export interface Speed {
  readonly flopsPerSecond: number;
  /** Where the figure comes from, in words. */
  readonly basis: string;
}

function file(env: Env): string {
  return join(env.cacheDir, "machine.json");
}

async function readMachine(env: Env): Promise<Machine | undefined> {
  if (!await env.fs.stat(file(env))) return undefined;
  try {
    return Machine.parse(JSON.parse(await env.fs.readText(file(env))));
  } catch {
    return undefined; // a damaged note about speed is worth no more than none
  }
}

/** The speed of training on `device` here, measured by an earlier run or assumed from the number of cores. */
export async function trainingSpeed(env: Env, device: string, cores: number): Promise<Speed> {
  const known = (await readMachine(env))?.devices[device];
  if (known) {
    return {
      flopsPerSecond: known.flopsPerSecond,
      basis: `${gigaflops(known.flopsPerSecond)} measured here on ${known.measured.slice(0, 10)}`,
    };
  }
  const assumed = cores * ASSUMED_FLOPS_PER_CORE;
  return {
    flopsPerSecond: assumed,
    basis: `${gigaflops(assumed)} assumed for ${cores} cores; the first run measures it`,
  };
}

/** Keeps what a finished training measured, for later estimates. */
export async function recordSpeed(env: Env, device: string, flopsPerSecond: number): Promise<void> {
  const machine = await readMachine(env) ?? { version: 1, devices: {} };
  const measured = new Date(env.clock.now()).toISOString();
  const devices = { ...machine.devices, [device]: { flopsPerSecond, measured } };
  await env.fs.mkdirp(env.cacheDir);
  await env.fs.writeAtomic(file(env), JSON.stringify({ version: 1, devices }, null, 2) + "\n");
}

function gigaflops(flops: number): string {
  return `${Math.round(flops / 1e9)} GFLOP/s`;
}
