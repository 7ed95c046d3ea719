import type { Json, JsonObject } from "../lib/json/json.ts";
import { counted } from "../lib/text/format.ts";
import { oneLine } from "../lib/text/text_width.ts";
import type { RunSetting } from "../log/run_settings.ts";
import type { RunState } from "../log/run_state.ts";

/** A setting as it is shown: with what `auto` became where the training has said so. */
export type ShownSetting = RunSetting & { readonly used?: string };

/** Fields that the machine decides where they are `auto`, and the metrics that say what it chose and why. */
const BY_MACHINE: Readonly<Record<string, readonly [used: string, why?: string]>> = {
  "train.device": ["device"],
  "train.dtype": ["dtype", "dtype_why"],
  "train.checkpointing": ["checkpointing"],
};

/** How an origin is called. */
const ORIGINS: Readonly<Record<string, string>> = { set: "--set" };
const RANKS = ["set", "matrix", "file", "environment", "base", "hardware"];

/** A run's settings, those that the machine has decided with what it chose. */
export function shownSettings(
  settings: readonly RunSetting[],
  { metrics }: Pick<RunState, "metrics">,
): ShownSetting[] {
  return settings.map((setting) => {
    const [name = "", why = ""] = BY_MACHINE[setting.field] ?? [];
    const [used, reason] = [metrics[name], metrics[why]];
    if (setting.value !== "auto" || typeof used !== "string" && typeof used !== "boolean") return setting;
    return { ...setting, used: String(used), from: "hardware", ...typeof reason === "string" && { reason } };
  });
}

/** Those that say what is special about a run, the most telling origin first, and the rest in the file's order. */
export function divided(settings: readonly ShownSetting[]) {
  const rank = ({ from = "default" }: ShownSetting) => RANKS.indexOf(from);
  const isDefault = ({ from = "default" }: ShownSetting) => from === "default";
  return {
    chosen: settings.filter((setting) => !isDefault(setting)).sort((a, b) => rank(a) - rank(b)),
    defaults: settings.filter(isDefault),
  };
}

/** How many settings are not shown. */
export function defaultsText(defaults: readonly ShownSetting[]): string {
  const many = counted(defaults.length, "setting");
  if (defaults.every(({ from }) => from === undefined)) {
    return `${many} of a run that does not say where they come from`;
  }
  return `${many} with ${defaults.length === 1 ? "its" : "their"} default`;
}

export function originText({ from = "" }: RunSetting): string {
  return ORIGINS[from] ?? from;
}

/** `auto → fp32`, and text without quotes. */
export function settingText({ value, used }: ShownSetting): string {
  return used === undefined ? valueText(value) : `${valueText(value)} → ${used}`;
}

function valueText(value: Json): string {
  return oneLine(typeof value === "string" ? value : JSON.stringify(value));
}

/** The same for programs. */
export function settingsJson(settings: readonly ShownSetting[]) {
  return settings.map(({ field, value, used, from, reason }) => ({
    field,
    value,
    ...used !== undefined && { used },
    from: from ?? null,
    reason: reason ?? null,
  }));
}

/**
 * The pipeline with every value filled in; undefined where its file has them all. Settings that are not fields of it,
 * such as what a service calls its own, are left out.
 */
export function effectiveSpec(spec: JsonObject, settings: readonly RunSetting[]): JsonObject | undefined {
  if (settings.every(({ from }) => from === "file")) return undefined;
  const fields = settings.filter(({ field }) => field.includes("."));
  return fields.reduce((filled, { field, value }) => filledIn(filled, field.split("."), value), spec);
}

/** What is there stays, and keeps its place. */
function filledIn(section: JsonObject, [name = "", ...rest]: readonly string[], value: Json): JsonObject {
  const before = Object.hasOwn(section, name) ? section[name] : undefined;
  if (rest.length === 0) return before === undefined ? { ...section, [name]: value } : section;
  if (typeof before !== "object" || before === null || Array.isArray(before)) return section;
  return { ...section, [name]: filledIn(before as JsonObject, rest, value) };
}

/** A field whose value is not the same in all runs. */
export interface DifferingSetting {
  readonly field: string;
  /** One for each run, in their order; undefined where the run has none, or none is known of it. */
  readonly values: readonly (Json | undefined)[];
}

/** The settings that tell runs apart. A run whose settings are not known does not count. */
export function differingSettings(
  runs: readonly (readonly RunSetting[] | undefined)[],
): DifferingSetting[] {
  const known = runs.map((settings) =>
    settings && new Map(settings.map(({ field, value }) => [field, value]))
  );
  const fields = new Set(runs.flatMap((settings) => settings?.map(({ field }) => field) ?? []));
  return [...fields].flatMap((field) => {
    const texts = known.flatMap((settings) => settings ? [JSON.stringify(settings.get(field))] : []);
    if (new Set(texts).size < 2) return [];
    return [{ field, values: known.map((settings) => settings?.get(field)) }];
  });
}

/** A value in a table of runs. */
export function differingText(value: Json | undefined): string {
  return value === undefined ? "–" : valueText(value);
}
