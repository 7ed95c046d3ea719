import type { Inspect } from "../spec/load.ts";
import type { Env, InspectOptions } from "./provider.ts";
import { inspectFor } from "./registry.ts";

/** Lets the pipeline's provider check what the file alone does not show, for `loadSpec`. */
export function inspectWith(env: Env, options: InspectOptions): Inspect {
  return async (loaded) => (await inspectFor(loaded.spec.provider.kind, env))(loaded, env, options);
}
