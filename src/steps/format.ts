import type { Fs } from "../lib/files/fs.ts";
import type { JsonObject } from "../lib/json/json.ts";
import { ROW_RULES } from "../spec/dialects/protocol.ts";
import { rowRulesOf } from "../spec/dialects/registry.ts";
import { abilitiesOf } from "../providers/abilities.ts";
import type { Providers } from "../providers/provider.ts";
import type { LoadedSpec } from "../spec/load.ts";
import { sourceEntries, type SourceEntry } from "../spec/rules/source_entries.ts";
import { resolveSources } from "./extract/sources.ts";
import type { Step } from "./step.ts";

/** What a source can say of how its rows become conversations. */
const FORMATTING = ["format", "columns", "roles"] as const;

/** Turns rows into conversations, checks them, and holds some out. */
export const format: Step = {
  kind: "format",
  version: 2,
  cached: true,
  inputs: async (loaded, { fs, providers }) => ({
    ...inputsOf(loaded.spec, providers),
    ...await sourceInputs(loaded, fs),
  }),
  // Loaded when it runs: `check` and `plan` only ask for the inputs.
  run: async (context) => await (await import("./format/run_format.ts")).runFormat(context),
};

/** too_long is not looked at here: only the trainer counts tokens. */
function inputsOf({ dataset, provider }: LoadedSpec["spec"], own: Providers | undefined): JsonObject {
  const { format, columns, roles, split, checks: { too_long: _, ...checks } } = dataset;
  const rules = rowRulesOf(provider);
  return {
    format,
    checks,
    ...columns && { columns: { ...columns } as JsonObject },
    ...roles && { roles },
    ...split && { split: { ...split } as JsonObject },
    abilities: { ...abilitiesOf(provider.kind, own) },
    ...rules !== ROW_RULES && { rules: { ...rules, specialTokens: rules.specialTokens.source } },
  };
}

/** What single sources say of how their rows become conversations; nothing where none does. */
async function sourceInputs(loaded: LoadedSpec, fs: Fs): Promise<JsonObject> {
  const { source, eval: evaluation } = loaded.spec.dataset;
  if (typeof source === "object" && "sql" in source) return {};
  const says = ({ options }: SourceEntry) => FORMATTING.some((key) => options[key] !== undefined);
  if (![...sourceEntries(source), ...sourceEntries(evaluation)].some(says)) return {};
  const sources = (await resolveSources(loaded, fs)).filter(({ entry }) => says(entry));
  return {
    sources: sources.map(({ set, label, entry: { options } }) => ({
      set,
      label,
      ...Object.fromEntries(
        FORMATTING.flatMap((key) => options[key] === undefined ? [] : [[key, options[key]]]),
      ),
    })),
  };
}
