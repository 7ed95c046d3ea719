import { join } from "node:path";
import type { Fs } from "../lib/files/fs.ts";
import type { JsonObject } from "../lib/json/json.ts";
import { ABILITIES } from "../providers/abilities.ts";
import { ROW_RULES } from "../spec/dialects/protocol.ts";
import { rowRulesOf } from "../spec/dialects/registry.ts";
import type { LoadedSpec } from "../spec/load.ts";
import { sourceEntries, type SourceEntry } from "../spec/rules/source_entries.ts";
import type { SourceFile } from "./extract/source_file.ts";
import { resolveSources } from "./extract/sources.ts";
import { Formatting } from "./format/formatting.ts";
import { refuse } from "./format/checks/refuse.ts";
import { reportOf } from "./format/report/report.ts";
import { reportHtml } from "./format/report/report_html.ts";
import type { Step, StepContext, StepOutcome } from "./step.ts";

/** What a source can say of how its rows become conversations. */
const FORMATTING = ["format", "columns", "roles"] as const;

/** Turns rows into conversations, checks them, and holds some out. */
export const format: Step = {
  kind: "format",
  version: 2,
  cached: true,
  inputs: async (loaded, { fs }) => ({ ...inputsOf(loaded.spec), ...await sourceInputs(loaded, fs) }),
  run,
};

/** too_long is not looked at here: only the trainer counts tokens. */
function inputsOf({ dataset, provider }: LoadedSpec["spec"]): JsonObject {
  const { format, columns, roles, split, checks: { too_long: _, ...checks } } = dataset;
  const rules = rowRulesOf(provider);
  return {
    format,
    checks,
    ...columns && { columns: { ...columns } as JsonObject },
    ...roles && { roles },
    ...split && { split: { ...split } as JsonObject },
    abilities: { ...ABILITIES[provider.kind] },
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

async function run(context: StepContext): Promise<StepOutcome> {
  const { fs, out, loaded: { spec, cell } } = context;
  const extracted = context.input("extract");
  const sources = JSON.parse(await fs.readText(join(extracted, "sources.json"))) as SourceFile[];
  const formatting = await Formatting.open(context, sources);
  try {
    await formatting.run();
  } finally {
    await formatting.close();
  }
  const report = reportOf(spec.dataset, sources, formatting);
  // Written before anything is refused: it shows more of what is wrong than an error can.
  await fs.writeAtomic(join(out, "report.json"), JSON.stringify(report, null, 2) + "\n");
  await fs.writeAtomic(join(out, "report.html"), reportHtml(cell?.pipeline ?? spec.name, report));
  refuse(report, formatting.findings.firstOfFiles, join(out, "report.html"));
  const warnings = Object.fromEntries(
    formatting.findings.failing("warn").map((check) => [check, formatting.findings.result(check).count]),
  );
  return {
    summary: {
      format: report.train.format,
      why: report.train.why,
      train: report.train.rows,
      eval: report.eval?.rows ?? 0,
      warnings,
      ...report.unused.length > 0 && { unused: report.unused },
      ...report.moreUnused.count > 0 && { more_unused: report.moreUnused.count },
    },
  };
}
