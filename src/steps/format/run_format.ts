import { join } from "../../deps/path.ts";
import { writeJson } from "../../lib/json/json_file.ts";
import { readSourceFiles } from "../extract/source_file.ts";
import type { DataContext, StepContext, StepOutcome } from "../step.ts";
import { enforceChecks, isRefused } from "./checks/enforce_checks.ts";
import { CHECKS, type Finding } from "./checks/findings.ts";
import { lengthProblems } from "./checks/row_lengths.ts";
import { Formatting } from "./formatting.ts";
import { type Report, reportOf } from "./report/report.ts";

/** Converts, checks and writes the rows. Throws what makes them unusable. */
export async function runFormat(context: StepContext): Promise<StepOutcome> {
  const { fs, out, loaded: { spec, cell } } = context;
  const { report, firsts } = await formatRows(context);
  // Written before anything is refused: it shows more of what is wrong than an error can.
  await writeJson(join(out, "report.json"), report, fs);
  // Loaded where a page is written: `check` and `plan` have no use for what draws it. No step reads the page, so
  // another drawing of the same report does not raise `version`: it would make every step run again.
  const { datasetPage } = await import("../../pages/dataset.tsx");
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
