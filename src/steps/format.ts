import { join } from "../deps/path.ts";
import type { Fs } from "../lib/files/fs.ts";
import type { JsonObject } from "../lib/json/json.ts";
import { writeJson } from "../lib/json/json_file.ts";
import { ROW_RULES } from "../spec/dialects/protocol.ts";
import { rowRulesOf } from "../spec/dialects/registry.ts";
import { abilitiesOf } from "../providers/abilities.ts";
import type { Providers } from "../providers/provider.ts";
import type { LoadedSpec } from "../spec/load.ts";
import { sourceEntries, type SourceEntry } from "../spec/rules/source_entries.ts";
import { readSourceFiles } from "./extract/source_file.ts";
import { resolveSources } from "./extract/sources.ts";
import { Formatting } from "./format/formatting.ts";
import { enforceChecks, isRefused } from "./format/checks/enforce_checks.ts";
import { lengthProblems } from "./format/checks/row_lengths.ts";
import { CHECKS, type Finding } from "./format/checks/findings.ts";
import { type Report, reportOf } from "./format/report/report.ts";
import type { DataContext, Step, StepContext, StepOutcome } from "./step.ts";

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
  run,
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

async function run(context: StepContext): Promise<StepOutcome> {
  const { fs, out, loaded: { spec, cell } } = context;
  const { report, firsts } = await formatRows(context);
  // Written before anything is refused: it shows more of what is wrong than an error can.
  await writeJson(join(out, "report.json"), report, fs);
  // Loaded where a page is written: `check` and `plan` have no use for what draws it. No step reads the page, so
  // another drawing of the same report does not raise `version`: it would make every step run again.
  const { datasetPage } = await import("../pages/dataset.tsx");
  await fs.writeAtomic(join(out, "report.html"), datasetPage(cell?.pipeline ?? spec.name, report));
  if (isRefused(report)) {
    const lengths = await lengthProblems(context.loaded, context, out);
    enforceChecks(report, firsts, join(out, "report.html"), lengths);
  }
  const failing = CHECKS.filter((check) => {
    const { severity, count } = report.checks[check];
    return severity === "warn" && count > 0;
  });
  const warnings = Object.fromEntries(
    failing.map((check) => [check, report.checks[check].count]),
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

/** Writes the conversations. Returns what the rows showed, and of each file the first row that cannot be read. */
export async function formatRows(
  context: DataContext,
): Promise<{ readonly report: Report; readonly firsts: readonly Finding[] }> {
  const sources = await readSourceFiles(context.input("extract"), context.fs);
  const formatting = await Formatting.open(context, sources);
  try {
    await formatting.run();
  } finally {
    await formatting.close();
  }
  const report = reportOf(context.loaded.spec.dataset, sources, formatting);
  return { report, firsts: formatting.findings.firstOfFiles };
}
