import { captureProcess } from "../../../lib/process.ts";
import { findProgram } from "../../../lib/find_program.ts";
import type { Env } from "../../provider.ts";

export type DeviceKind = "cpu" | "cuda" | "mps";
export type Dtype = "fp32" | "bf16" | "fp16";

/** The type that `train.dtype: auto` takes on a device, and why. */
export interface FastType {
  readonly dtype: Dtype;
  readonly why: string;
  /** Bytes and number of such devices, where they are known. */
  readonly memory?: number | undefined;
  readonly count?: number | undefined;
}

/** The devices of a machine. The one that `train.device: auto` takes comes first. */
export type FastTypes = { readonly [kind in DeviceKind]?: FastType | undefined };

/** What decides. Null: it does not have it; undefined: nobody could be asked. */
export interface HardwareFacts {
  /** The instructions that make bf16 fast. */
  readonly cpu: string | null | undefined;
  readonly cuda: CudaFacts | null;
  readonly mps: { readonly bf16: boolean } | null;
}

interface CudaFacts {
  /** Such as sm_90. */
  readonly arch: string | undefined;
  readonly memory: number | undefined;
  readonly count: number | undefined;
}

const UNASKED = "assumed: the first run asks PyTorch";
/** Comes with NVIDIA's driver. */
const NVIDIA = "nvidia-smi";
const NVIDIA_MS = 10_000;
/** Darwin of macOS 14, the first with bf16 on Apple GPUs. */
const DARWIN_BF16 = 23;
/** CUDA devices from 8.0 on compute bf16 themselves. */
const CUDA_BF16 = 8;

/**
 * The same table as the trainer's (trainer/temper_trainer/training/precision.py), for a machine whose Python was not
 * asked yet. What could not be found out is assumed, and the reason says so.
 */
export function fastTypes({ cpu, cuda, mps }: HardwareFacts): FastTypes {
  return {
    ...cuda && { cuda: { ...cudaType(cuda.arch), memory: cuda.memory, count: cuda.count } },
    ...mps && { mps: mpsType(mps.bf16) },
    cpu: cpuType(cpu),
  };
}

function cudaType(arch: string | undefined): FastType {
  if (arch === undefined) return { dtype: "bf16", why: UNASKED };
  const major = Math.floor(Number(arch.replace("sm_", "")) / 10);
  return major >= CUDA_BF16
    ? { dtype: "bf16", why: `this GPU (${arch}) computes bf16` }
    : { dtype: "fp16", why: `this GPU (${arch}) has no bf16` };
}

function mpsType(bf16: boolean): FastType {
  return bf16
    ? { dtype: "bf16", why: "this Apple GPU computes bf16" }
    : { dtype: "fp32", why: "bf16 on an Apple GPU needs macOS 14" };
}

function cpuType(cpu: string | null | undefined): FastType {
  if (cpu === undefined) return { dtype: "fp32", why: UNASKED };
  return cpu === null
    ? { dtype: "fp32", why: "this CPU has no bf16 instructions" }
    : { dtype: "bf16", why: `this CPU has ${cpu}` };
}

/** What can be found out about this machine without Python. Starts nothing but nvidia-smi, where that is allowed. */
export async function hardwareFacts(env: Env): Promise<HardwareFacts> {
  const apple = Deno.build.os === "darwin" && Deno.build.arch === "aarch64";
  const darwin = allowed(() => Number.parseInt(Deno.osRelease()));
  return {
    cpu: await cpuFacts(env),
    cuda: await cudaFacts(env),
    mps: apple ? { bf16: darwin === undefined || darwin >= DARWIN_BF16 } : null,
  };
}

async function cpuFacts({ fs }: Env): Promise<string | null | undefined> {
  // PyTorch's builds for macOS compute bf16 on the CPU without special instructions.
  if (Deno.build.os !== "linux") return Deno.build.os === "darwin" ? null : undefined;
  try {
    return bf16Instructions(await fs.readText("/proc/cpuinfo"));
  } catch {
    return undefined; // Deno reads /proc with all permissions only
  }
}

/** The instructions that make bf16 fast, of those that Linux lists in /proc/cpuinfo. */
export function bf16Instructions(cpuinfo: string): string | null {
  const [, name, list = ""] = cpuinfo.match(/^(flags|Features)\s*:(.*)$/m) ?? [];
  const flags = list.trim().split(/\s+/);
  if (name === "Features") return flags.includes("bf16") ? "Arm BF16" : null;
  if (flags.includes("amx_tile")) return "AMX";
  return flags.includes("avx512_bf16") ? "AVX512_BF16" : null;
}

async function cudaFacts(env: Env): Promise<CudaFacts | null> {
  // Of these, PyTorch sees no GPU.
  if (env.env["CUDA_VISIBLE_DEVICES"] === "" || env.env["TEMPER_TORCH_BACKEND"] === "cpu") return null;
  const command = await findProgram(NVIDIA, env);
  if (command === undefined) return null;
  const unknown = { arch: undefined, memory: undefined, count: undefined };
  const { state } = await Deno.permissions.query({ name: "run", command });
  if (state !== "granted") return unknown;
  const args = ["--query-gpu=compute_cap,memory.total", "--format=csv,noheader,nounits"];
  const variables = { PATH: env.env["PATH"] ?? "" };
  const answer = await captureProcess({
    command,
    args,
    env: variables,
    signal: AbortSignal.timeout(NVIDIA_MS),
  }).catch(() => undefined);
  return nvidiaFacts(answer ?? "") ?? unknown;
}

/** Lines such as `9.0, 81559`: compute capability and MiB of each GPU. The first one is the one that is used. */
export function nvidiaFacts(answer: string): CudaFacts | undefined {
  const lines = answer.trim().split("\n");
  const [, capability, mebibytes] = lines[0]?.match(/^(\d+\.\d),\s*(\d+)$/) ?? [];
  if (capability === undefined) return undefined;
  return {
    arch: `sm_${capability.replace(".", "")}`,
    memory: Number(mebibytes) * 2 ** 20,
    count: lines.length,
  };
}

/** What Deno says of the machine, where its permissions allow the question. */
export function allowed<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}
