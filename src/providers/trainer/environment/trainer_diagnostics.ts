import { dirname, join } from "../../../deps/path.ts";
import { engineNamed } from "../../../engines/registry.ts";
import { TemperError } from "../../../lib/errors.ts";
import { existingParent } from "../../../lib/files/folder.ts";
import { bytes } from "../../../lib/text/format.ts";
import { captureProcess } from "../../../lib/process.ts";
import { BUILTIN_NAMES } from "../../../spec/schema/base_name.ts";
import type { Spec } from "../../../spec/schema/schema.ts";
import type { Diagnostic } from "../../diagnostic.ts";
import type { Env } from "../../provider.ts";
import type { BaseInfo } from "../base/base.ts";
import { BUILTIN, builtinBase } from "../base/builtin.ts";
import { installerEnv } from "./child_env.ts";
import { sharedPlaces } from "../../shared_dir.ts";
import { existingEnvironment } from "./environment.ts";
import { expectedBytes } from "./environment_size.ts";
import { type Capabilities, probeEnvironment } from "./probe.ts";
import { findProgram } from "../../../lib/find_program.ts";
import { findPython, givenPython, type Python } from "./python.ts";
import { torchBackend } from "./torch_backend.ts";
import { LOCK_FILE, type Trainer } from "./trainer_dir.ts";

export interface DoctorOptions {
  readonly env: Env;
  readonly trainer: Trainer;
  readonly signal: AbortSignal;
}

/** The bases that come with the Python environment. */
export function builtinBases(): BaseInfo[] {
  return BUILTIN_NAMES.map((name) => builtinBase(BUILTIN + name));
}

/** What training here needs, from the interpreter up; each is told as soon as it is known. */
export async function* trainingFindings(options: DoctorOptions): AsyncGenerator<Diagnostic> {
  const given = options.env.env["TEMPER_PYTHON"];
  const python = await pythonOf(given, options);
  if (python instanceof TemperError) {
    yield missing("python", python.message, python.hint);
    return;
  }
  const from = given ? "TEMPER_PYTHON" : "PATH";
  yield { name: "python", state: "ok", found: `${python.version}, ${python.path} (${from})` };
  if (!given) yield await installer(python, options);
  const made = given
    ? python.path
    : await existingEnvironment({ ...options, lockFile: await options.trainer.text(LOCK_FILE) });
  if (made === undefined) {
    yield await notMade(python, options);
    return;
  }
  if (!given) yield { name: "environment", state: "ok", found: made };
  yield* capabilities(made, given !== undefined, options);
}

/** Whether the engine of a pipeline can be used from here: nothing about the one that is this machine. */
export async function* engineFindings(
  engine: Spec["engine"],
  env: Env,
  signal: AbortSignal,
  folders: readonly string[],
): AsyncGenerator<Diagnostic> {
  const { diagnose } = await engineNamed(engine.kind);
  if (diagnose) yield { name: engine.kind, ...await diagnose(engine, env, signal, folders) };
}

async function pythonOf(given: string | undefined, { env, signal }: DoctorOptions) {
  try {
    return await (given ? givenPython(given, env, signal) : findPython(env, signal));
  } catch (error) {
    if (error instanceof TemperError) return error;
    throw error;
  }
}

async function installer(python: Python, { env, signal }: DoctorOptions): Promise<Diagnostic> {
  const variables = installerEnv(env.env);
  const uv = await findProgram("uv", env);
  const version = uv && await captureProcess({ command: uv, args: ["--version"], env: variables, signal });
  if (version) return { name: "installer", state: "ok", found: `${version.trim()}, ${uv}` };
  const args = ["-I", "-c", "import venv, ensurepip; print(ensurepip.version())"];
  const pip = await captureProcess({ command: python.path, args, env: variables, signal });
  if (pip) {
    return { name: "installer", state: "ok", found: `venv with pip ${pip.trim()}; uv would be faster` };
  }
  return missing(
    "installer",
    "found neither uv nor Python's venv with pip",
    "Install uv: https://docs.astral.sh/uv",
  );
}

async function notMade(python: Python, { env, trainer }: DoctorOptions): Promise<Diagnostic> {
  const lockFile = await trainer.text(LOCK_FILE);
  const needed = expectedBytes(lockFile, python.platform, torchBackend(env.env));
  const place = sharedPlaces(env).at(-1)!;
  const free = await env.fs.freeBytes(await existingParent(env.fs, place));
  const others = (await env.fs.list(join(place, "python"))).length;
  const found = others === 0
    ? "not installed yet"
    : `${others} for another Python or lock file, or unfinished`;
  if (free < needed) {
    const space = `${found}; it needs about ${bytes(needed)}, but only ${bytes(free)} are free`;
    return missing("environment", space, "Free some space, or set TEMPER_CACHE to another folder");
  }
  const fix = `The next run installs it once; it needs about ${bytes(needed)} of disk space`;
  return { name: "environment", state: "warn", found, fix };
}

async function* capabilities(
  python: string,
  given: boolean,
  options: DoctorOptions,
): AsyncGenerator<Diagnostic> {
  const builtins = builtinBases().map(({ name, job, bytes }) => ({
    name,
    package: String(job["package"]),
    file: String(job["file"]),
    bytes,
  }));
  const files = Object.fromEntries(builtins.map(({ package: from, file }) => [from, file]));
  const able = await probeEnvironment(python, files, options);
  const fix = given
    ? `Install what ${options.trainer.place(LOCK_FILE)} names, or unset TEMPER_PYTHON`
    : `Remove it, and the next run reinstalls it: rm -r ${dirname(dirname(dirname(python)))}`;
  if (!able) {
    yield missing("torch", `"${python}" cannot import torch`, fix);
    return;
  }
  yield able.absent.length > 0
    ? missing("torch", `${able.torch}, but not ${able.absent.join(", ")}`, fix)
    : { name: "torch", state: "ok", found: deviceText(able) };
  for (const { name, package: from, bytes: expected } of builtins) {
    const size = able.bases[from];
    if (expected !== null && size === expected) {
      yield { name: "base", state: "ok", found: `${name}, ${bytes(expected)}` };
    } else {
      const found = `${name} is ${size === null ? "missing" : "damaged"}`;
      yield { name: "base", state: "warn", found, fix: `${fix}; other bases work without it` };
    }
  }
}

/** The device that `train.device: auto` takes, and the type it trains in, with the reason. */
function deviceText({ torch, threads, devices: { cuda, mps, cpu } }: Capabilities): string {
  const { dtype, why } = cuda ?? mps ?? cpu;
  const more = (cuda?.count ?? 1) > 1 ? `${cuda!.count} × ` : "";
  const name = cuda ? more + (cuda.name ?? "CUDA") : mps ? "Apple GPU" : `CPU with ${threads} threads`;
  return `${torch} on ${name} (${dtype}: ${why})`;
}

function missing(name: string, found: string, fix: string | undefined): Diagnostic {
  return { name, state: "missing", found, ...fix !== undefined && { fix } };
}
