import { join } from "node:path";
import type { JsonObject } from "../lib/json.ts";
import { ABILITIES } from "../providers/abilities.ts";
import type { LoadedSpec } from "../spec/load.ts";
import type { SourceFile } from "./extract/source_file.ts";
import { Formatting } from "./format/formatting.ts";
import { refuse } from "./format/refuse.ts";
import { reportOf } from "./format/report.ts";
import { reportHtml } from "./format/report_html.ts";
import type { Step, StepContext, StepOutcome } from "./step.ts";

/** Turns rows into conversations, checks them, and holds some out. */
export const format: Step = {
  kind: "format",
  version: 2,
  cached: true,
  inputs: ({ spec }) => Promise.resolve(inputsOf(spec)),
  run,
};

/** too_long is not looked at here: only the trainer counts tokens. */
function inputsOf({ dataset, provider }: LoadedSpec["spec"]): JsonObject {
  const { format, columns, split, checks: { too_long: _, ...checks } } = dataset;
  return {
    format,
    checks,
    ...columns && { columns: { ...columns } as JsonObject },
    ...split && { split: { ...split } as JsonObject },
    abilities: { ...ABILITIES[provider.kind] },
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
  refuse(report, join(out, "report.html"));
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
