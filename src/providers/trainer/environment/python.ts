import { delimiter, isAbsolute, join } from "../../../deps/path.ts";
import { TemperError } from "../../../lib/errors.ts";
import { captureProcess } from "../../../lib/process.ts";
import type { Env } from "../../provider.ts";
import { installerEnv } from "./child_env.ts";

/** An interpreter that can run the trainer. */
export interface Python {
  readonly path: string;
  /** Such as 3.11.7. */
  readonly version: string;
  /** As Python names it: linux-x86_64, macosx-14.0-arm64, … */
  readonly platform: string;
}

const LEAST = [3, 11] as const;
const NAMES = ["python3.13", "python3.12", "python3.11", "python3", "python"];
const QUESTION =
  "import platform, sysconfig; print(platform.python_version()); print(sysconfig.get_platform())";

const HINT = `Install Python ${LEAST.join(".")} or newer, or set TEMPER_PYTHON to one`;

/** The Python that an environment is made from: the first usable one on PATH. */
export async function findPython(env: Env, signal: AbortSignal): Promise<Python> {
  const seen: string[] = [];
  for (const path of await candidates(env)) {
    const python = await askPython(path, env, signal);
    if (!python) continue;
    if (isUsable(python.version)) return python;
    seen.push(`${path} is ${python.version}`);
  }
  const found = seen.length > 0 ? seen.join(", ") : `none of ${NAMES.join(", ")} on PATH`;
  throw new TemperError("python-missing", `Cannot find Python ${LEAST.join(".")} or newer: ${found}`, {
    hint: HINT,
  });
}

/** The Python named by TEMPER_PYTHON, which must already have what the trainer imports. */
export async function givenPython(path: string, env: Env, signal: AbortSignal): Promise<Python> {
  const refuse = (found: string) =>
    new TemperError("python-missing", `Cannot use TEMPER_PYTHON="${path}": ${found}`, { hint: HINT });
  if (!isAbsolute(path)) throw refuse("it is not an absolute path");
  if (!(await env.fs.stat(path))?.isFile) throw refuse("there is no such file");
  const python = await askPython(path, env, signal);
  if (!python) throw refuse("it is not a working Python interpreter");
  if (!isUsable(python.version)) throw refuse(`it is Python ${python.version}`);
  return python;
}

async function candidates(env: Env): Promise<string[]> {
  const folders = (env.env["PATH"] ?? "").split(delimiter).filter(isAbsolute);
  const found: string[] = [];
  for (const name of NAMES) {
    for (const folder of folders) {
      const path = join(folder, name);
      if ((await env.fs.stat(path))?.isFile) found.push(path);
    }
  }
  return found;
}

/** `undefined` when the file does not behave like Python: a shim without a version behind it, a broken link. */
async function askPython(path: string, env: Env, signal: AbortSignal): Promise<Python | undefined> {
  const answer = await captureProcess({
    command: path,
    args: ["-I", "-c", QUESTION],
    env: installerEnv(env.env),
    signal,
  });
  const [version, platform] = answer?.split(/\r?\n/) ?? [];
  return version && platform && /^\d+\.\d+/.test(version) ? { path, version, platform } : undefined;
}

function isUsable(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major === LEAST[0] && minor >= LEAST[1];
}
