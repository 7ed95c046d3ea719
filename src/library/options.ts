import { resolve } from "../deps/path.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { cacheDirs } from "../lib/files/cache_dirs.ts";
import { UsageError } from "../lib/errors.ts";
import { denoFs, type Fs } from "../lib/files/fs.ts";
import { parseDevices } from "../lib/text/quantity.ts";
import type { Asked, DeviceMemory, Env, Providers } from "../providers/provider.ts";

/**
 * A call's environment. Everything has a default, which is read when the call is made: importing the
 * library reads nothing.
 *
 * @example
 * ```ts
 * const options: WorldOptions = { cwd: "/srv/models", runsDir: "runs", cacheDir: "/var/cache/temper" };
 * ```
 */
export interface WorldOptions {
  /** Folder that relative paths start from. @default the current one */
  readonly cwd?: string;
  /** Folder of the runs. @default "runs" */
  readonly runsDir?: string;
  /**
   * Folder for cached files. Without it, step outputs are in ".temper", and what is large and the same for all
   * projects (Python environments, converted bases) in TEMPER_CACHE or the user's cache folder.
   */
  readonly cacheDir?: string;
  /** Environment variables. @default those of this process */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Your own providers, by their `provider.kind`. */
  readonly providers?: Providers;
  /** Access to files. @default Deno's */
  readonly fs?: Fs;
  /** Time and randomness. @default the system's */
  readonly clock?: Clock;
}

/**
 * Options for hosted jobs that are not part of a pipeline.
 *
 * @example
 * ```ts
 * const options: HostedOptions = { prices: "prices.json" };
 * ```
 */
export interface HostedOptions {
  /** File with prices of hosted models that temper's own table lacks or has outdated. */
  readonly prices?: string;
  /** Id of a hosted job to adopt instead of starting one. */
  readonly adopt?: string;
  /** Start and pay for a hosted job although an equal one exists. */
  readonly createAnyway?: boolean;
}

/**
 * Devices to estimate for.
 *
 * @example
 * ```ts
 * const options: DeviceOptions = { memory: "8x80GB" };
 * ```
 */
export interface DeviceOptions {
  /** Memory of the devices to estimate for instead of this machine's: "24GiB", or "8x80GB" for eight of them. */
  readonly memory?: string;
}

/** Files, time and the folder of the runs; environment variables are not looked at. */
export interface World {
  readonly fs: Fs;
  readonly clock: Clock;
  /** Absolute. */
  readonly cwd: string;
  /** Absolute. */
  readonly runsDir: string;
}

/** The options with their defaults. */
export function worldOf({ fs = denoFs, clock = systemClock, cwd, runsDir = "runs" }: WorldOptions): World {
  const folder = resolve(cwd ?? "");
  return { fs, clock, cwd: folder, runsDir: resolve(folder, runsDir) };
}

/** The same for steps and providers. `own`: providers that came with the pipeline. */
export function envOf(
  options: WorldOptions & HostedOptions & DeviceOptions & Pick<Asked, "sideBySide">,
  own: Providers = {},
): Env {
  const { fs, clock, cwd } = worldOf(options);
  const { cacheDir, env = Deno.env.toObject(), prices, adopt, createAnyway, sideBySide } = options;
  return {
    fs,
    clock,
    ...cacheDirs(cwd, cacheDir, env),
    env,
    asked: {
      ...prices !== undefined && { prices: resolve(cwd, prices) },
      ...adopt !== undefined && { adopt },
      ...createAnyway !== undefined && { createAnyway },
      ...options.memory !== undefined && { memory: devicesOf(options.memory) },
      ...sideBySide !== undefined && { sideBySide },
    },
    providers: { ...own, ...options.providers },
  };
}

/** Devices as a person writes them. Throws a UsageError when they are none. */
export function devicesOf(memory: string): DeviceMemory {
  const devices = parseDevices(memory);
  if (devices) return devices;
  throw new UsageError("bad-option", `Cannot read --memory: found "${memory}"`, {
    hint: "For example --memory 24GiB, or --memory 8x80GB for eight devices",
  });
}
