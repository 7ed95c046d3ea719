import { resolve } from "node:path";
import { EXIT } from "../lib/errors.ts";
import type { Env, Provider } from "../providers/provider.ts";
import { providerFor } from "../providers/table.ts";
import { changesSince } from "../run/changes.ts";
import { type CacheHit, findCached } from "../run/cache.ts";
import { planOf } from "../run/plan_of.ts";
import { type LoadedSpec, loadSpecOrThrow } from "../spec/load.ts";
import { dataSize } from "../steps/data_size.ts";
import { STEPS } from "../steps/table.ts";
import { createPalette } from "../ui/palette.ts";
import { CACHE_OPTION, type Command, type CommandContext, RUNS_OPTION, SET_OPTION } from "./command.ts";
import { planText, type PlanView, type StepOutlook } from "./plan_text.ts";

export const plan: Command = {
  name: "plan",
  summary: "Show what a run would do, why, and what it would take; touches nothing",
  usage: "FILE",
  positionals: [1, 1],
  options: { runs: RUNS_OPTION, cache: CACHE_OPTION, set: SET_OPTION },
  async run(context) {
    const view = await planView(context);
    const { terminal } = context;
    if (context.values["json"]) terminal.out(JSON.stringify(planJson(view), null, 2) + "\n");
    else terminal.out(planText(view, createPalette(terminal.color), terminal.columns()));
    return EXIT.ok;
  },
};

async function planView(context: CommandContext): Promise<PlanView> {
  const { fs, clock, cwd, env: variables, values } = context;
  const file = context.positionals[0]!;
  const loaded = await loadSpecOrThrow(resolve(cwd, file), fs, { set: (values["set"] ?? []) as string[] });
  const env: Env = { fs, clock, cacheDir: resolve(cwd, values["cache"] as string), env: variables };
  const planned = await planOf(loaded, STEPS, env);
  const hits = new Map<string, CacheHit>();
  const steps: StepOutlook[] = [];
  const changes = await changesSince(fs, resolve(cwd, values["runs"] as string), loaded.spec.name, planned);
  for (const { kind, key, cached } of planned.steps) {
    const found = cached ? await findCached(env, key) : undefined;
    if (found?.hit) hits.set(kind, found);
    const changed = changes?.steps.find((step) => step.kind === kind);
    steps.push({ kind, key, cached: found?.hit === true, why: why(found, cached, changed?.reason) });
  }
  const provider = await providerFor(loaded.spec.provider.kind);
  return { file, plan: planned, steps, ...await sizes(loaded, env, provider, hits) };
}

function why(
  found: Awaited<ReturnType<typeof findCached>> | undefined,
  cached: boolean,
  reason: string | undefined,
): string {
  if (found?.hit) return `stored by ${found.run}`;
  if (found && !found.hit && found.damaged !== undefined) return `stored output is damaged: ${found.damaged}`;
  if (!cached) return reason ?? "its job is started once and adopted from then on";
  return reason ?? "nothing is stored for it";
}

async function sizes(loaded: LoadedSpec, env: Env, provider: Provider, hits: ReadonlyMap<string, CacheHit>) {
  const data = await dataSize(loaded, env.fs, hits.get("format")?.dir);
  const outlook = await provider.outlook(loaded, env, data, hits.get("configure")?.dir);
  const { name, method, provider: { kind } } = loaded.spec;
  return { name, method: method.kind, provider: kind, data, outlook };
}

function planJson(view: PlanView) {
  const { file, name, method, provider, plan: { hash }, steps, data, outlook } = view;
  return { file, name, method, provider, hash, steps, data, ...outlook };
}
