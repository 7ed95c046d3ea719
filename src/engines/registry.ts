import { TemperError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json/json.ts";
import type { Engine, EngineJob } from "./engine.ts";

/** Each engine and where it is. Imported only when a pipeline or a job names it. */
const ENGINES: Readonly<Record<string, () => Promise<Engine>>> = {
  local: async () => (await import("./local/engine.ts")).localEngine,
  slurm: async () => (await import("./slurm/engine.ts")).slurmEngine,
  ray: async () => (await import("./ray/engine.ts")).rayEngine,
};

export async function engineNamed(kind: string): Promise<Engine> {
  const load = Object.hasOwn(ENGINES, kind) ? ENGINES[kind] : undefined;
  if (load) return await load();
  throw new TemperError(
    "engine-unknown",
    `Cannot use the engine "${kind}": this version has no such engine`,
    {
      hint: "Use the version of temper that started the run",
    },
  );
}

/** The engine of a job, or of one that was about to be sent. */
export async function engineOf(job: EngineJob & { readonly records?: unknown }): Promise<Engine> {
  const records = Array.isArray(job.records) ? job.records as JsonObject[] : [];
  const named = [job, ...records].map(({ engine }) => engine).findLast((engine) =>
    typeof engine === "string"
  );
  return await engineNamed(typeof named === "string" ? named : "local");
}
