import { join } from "../../src/deps/path.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { denoFs, type Fs } from "../../src/lib/files/fs.ts";
import { localProvider } from "../../src/providers/local/provider.ts";
import type { JobRef, Provider } from "../../src/providers/provider.ts";
import type { DriveOptions } from "../../src/run/run_pipeline.ts";
import { loadSpecOrThrow } from "../../src/spec/load.ts";
import type { Step } from "../../src/steps/step.ts";
import { STEPS } from "../../src/steps/registry.ts";
import { DOUBLE, starts, variables, writeBase } from "../providers/trainer/project.ts";
import { runNames } from "../hermetic.ts";

/** Silence after which the double is called stalled. */
const STALL_MS = 1_000;

/** A project whose pipeline runs the real steps; only its trainer learns nothing. */
export interface DoubleKit {
  readonly root: string;
  readonly runsDir: string;
  options(change?: Partial<DriveOptions>): DriveOptions;
  /** Folder of the only run's job. */
  jobDir(): Promise<string>;
  /** Process numbers of all trainers that got to work. */
  starts(): Promise<number[]>;
}

export interface DoubleOptions {
  readonly fs?: Fs;
  readonly clock?: Clock;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** The `engine` section of the pipeline. */
  readonly engine?: object;
}

/** `name` tells the double how to behave. A project that exists already is used as it is. */
export async function doubleAt(
  root: string,
  name: string,
  { fs = denoFs, clock = systemClock, env: more, engine }: DoubleOptions = {},
): Promise<DoubleKit> {
  const file = join(root, "tiny.yaml");
  if (!await denoFs.stat(file)) await write(root, name, file, engine);
  const loaded = await loadSpecOrThrow(file, denoFs);
  const env = { fs, clock, cacheDir: join(root, "cache"), env: { ...await variables(), ...more } };
  const provider = localProvider({ trainerDir: DOUBLE, stallMs: STALL_MS });
  const runsDir = join(root, "runs");
  const jobDir = async () => join(runsDir, (await runNames(runsDir))[0] ?? "none", "job");
  const never = new AbortController().signal;
  return {
    root,
    runsDir,
    jobDir,
    starts: async () => await starts(await jobDir()),
    options: (change = {}) => ({
      loaded,
      steps: stepsWith(provider),
      env,
      runsDir,
      driver: { host: "here", pid: Deno.pid, version: "0" },
      control: { interrupt: never, cancel: never, cancelWindowMs: () => 0 },
      cancelJob: (job: JobRef, runDir: string) => provider.cancel(job, runDir, env),
      ...change,
    }),
  };
}

async function write(root: string, name: string, file: string, engine: object | undefined): Promise<void> {
  await writeBase(join(root, "base"));
  const rows = ["on", "off", "up", "down"].map((word) =>
    JSON.stringify({ prompt: `turn ${word}`, completion: word })
  );
  await Deno.writeTextFile(join(root, "rows.jsonl"), rows.join("\n") + "\n");
  const spec = {
    version: 1,
    name,
    dataset: { source: "rows.jsonl" },
    method: { kind: "lora", rank: 4 },
    provider: { kind: "local", base: "base" },
    ...engine && { engine },
  };
  await Deno.writeTextFile(file, JSON.stringify(spec));
}

/** The table of steps, with its provider replaced. */
function stepsWith(provider: Provider): Step[] {
  const own: { readonly [kind in Step["kind"]]?: Partial<Step> } = {
    configure: {
      inputs: async (loaded, env) => ({ provider: provider.kind, ...await provider.inputs(loaded, env) }),
      run: async (context) => ({
        summary: await provider.configure({ ...context, examples: context.input("format") }),
      }),
    },
    submit: {
      async run(context) {
        const submitted = (job: JobRef) => context.submitted(job);
        const configured = context.input("configure");
        const job = await provider.submit({ ...context, configured, job: context.job, submitted });
        await context.fs.writeAtomic(join(context.out, "job.json"), JSON.stringify(job));
        return { summary: {} };
      },
    },
    monitor: {
      async run(context) {
        const configured = context.input("configure");
        return {
          summary: {},
          result: await provider.monitor({ ...context, configured, job: context.job! }),
        };
      },
    },
  };
  return STEPS.map((step) => ({ ...step, ...own[step.kind] }));
}
