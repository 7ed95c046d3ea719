import { resolve } from "node:path";
import { EXIT } from "../lib/errors.ts";
import { unusedFields, unusedText } from "../view/unused_text.ts";
import type { Env, Provider } from "../providers/provider.ts";
import { providerFor } from "../providers/registry.ts";
import { changesSince } from "../run/changes.ts";
import { type CacheHit, findCached } from "../run/cache.ts";
import { planOf } from "../run/plan_of.ts";
import { loadAllOrThrow, type LoadedSpec, loadSpecOrThrow } from "../spec/load.ts";
import { dataSize } from "../steps/data_size.ts";
import { STEPS } from "../steps/registry.ts";
import { createPalette } from "../ui/palette.ts";
import {
  CACHE_OPTION,
  CELL_OPTION,
  type Command,
  type CommandContext,
  FORCE_OPTION,
  PRICES_OPTION,
  RUNS_OPTION,
  SET_OPTION,
} from "../cli/command.ts";
import { envOf, loadOptions } from "../cli/load_options.ts";
import { matrixText } from "../cli/plan_matrix_text.ts";
import { planText, type PlanView, type StepPreview } from "../cli/plan_text.ts";

export const plan: Command = {
  name: "plan",
  summary: "Show what a run would do and why, with tokens, memory and time; changes nothing",
  usage: "FILE",
  positionals: [1, 1],
  options: {
    runs: RUNS_OPTION,
    cache: CACHE_OPTION,
    set: SET_OPTION,
    cell: CELL_OPTION,
    force: FORCE_OPTION,
    prices: PRICES_OPTION,
  },
  details: "With a matrix, all combinations are shown in one table; --cell LABEL shows one in full.\n\n" +
    "deno task plan pipelines/lora.yaml",
  async run(context) {
    const { terminal, values } = context;
    const cells = await loadCells(context);
    const views: PlanView[] = [];
    for (const loaded of cells) views.push(await planView(context, loaded));
    const [first] = views as [PlanView];
    const whole = values["cell"] === undefined ? cells[0]?.cell : undefined;
    const palette = createPalette(terminal.color);
    if (values["json"]) {
      const { file } = first;
      const json = whole ? { file, name: whole.pipeline, cells: views.map(planJson) } : planJson(first);
      terminal.out(JSON.stringify(json, null, 2) + "\n");
    } else if (whole) terminal.out(matrixText(whole.pipeline, views, palette, terminal.columns()));
    else terminal.out(planText(first, palette, terminal.columns()));
    return EXIT.ok;
  },
};

/** Every combination of the file, or the one that was asked for. */
async function loadCells(context: CommandContext): Promise<readonly LoadedSpec[]> {
  const { fs, positionals } = context;
  const path = positionals[0]!;
  const options = loadOptions(context);
  return options.cell === undefined
    ? await loadAllOrThrow(path, fs, options)
    : [await loadSpecOrThrow(path, fs, options)];
}

async function planView(context: CommandContext, loaded: LoadedSpec): Promise<PlanView> {
  const { fs, cwd, values } = context;
  const file = context.positionals[0]!;
  const env = envOf(context);
  const planned = await planOf(loaded, STEPS, env);
  const hits = new Map<string, CacheHit>();
  const steps: StepPreview[] = [];
  const changes = await changesSince(fs, resolve(cwd, values["runs"] as string), loaded.spec.name, planned);
  for (const { kind, key, cached } of planned.steps) {
    const found = cached ? await findCached(env, key) : undefined;
    if (found?.hit) hits.set(kind, found);
    const changed = changes?.steps.find((step) => step.kind === kind);
    steps.push({ kind, key, cached: found?.hit === true, why: why(found, cached, changed?.reason) });
  }
  const provider = await providerFor(loaded.spec.provider.kind);
  const { cell } = loaded;
  return {
    file,
    ...cell && { cell: cell.label },
    plan: planned,
    steps,
    ...await sizes(loaded, env, provider, hits),
  };
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
  const preview = await provider.preview(loaded, env, data, hits.get("configure")?.dir);
  const { name, method, provider: { kind } } = loaded.spec;
  const formatted = hits.get("format")?.summary;
  const unused = unusedFields(formatted);
  return {
    name,
    method: method.kind,
    provider: kind,
    data,
    unused,
    unusedText: unusedText(formatted),
    preview,
  };
}

function planJson(view: PlanView) {
  const { file, name, cell, method, provider, plan: { hash }, steps, data, unused, preview } = view;
  return {
    file,
    name,
    ...cell !== undefined && { cell },
    method,
    provider,
    hash,
    steps,
    data,
    unused,
    ...preview,
  };
}
