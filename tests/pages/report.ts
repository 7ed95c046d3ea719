import { type DataReport, dataReport } from "../../src/pages/data_report.ts";

const lengths = {
  shortest: 1,
  median: 2,
  p90: 3,
  p99: 4,
  longest: 5,
  histogram: [{ upTo: 63, count: 1000 }, { upTo: 127, count: 1 }, { upTo: 255, count: 0 }],
};
/** A report with everything that one can say. */
export const REPORT: DataReport = dataReport.parse({
  version: 1,
  train: { format: "columns", why: "so", rows: 5, chars: 1234, lengths, turns: { user: 5, assistant: 7 } },
  eval: null,
  split: { wanted: 0.2, seed: 7, by: "customer", held: 1, share: 0.2 },
  sources: [{
    path: "a.csv",
    set: "train",
    rows: 9,
    used: 5,
    unused: 4,
    bytes: 99,
    sha256: "abcdef0123456789",
  }],
  checks: {
    duplicates: {
      severity: "warn",
      count: 41,
      findings: [{ origin: "a.csv:2", field: "row", problem: "is <the> same", excerpt: "Hi" }],
    },
    "of_later_versions": { severity: "warn", count: 3, findings: [] },
  },
  unused: [{ field: "note", count: 3, rows: 3, why: "of old rows" }],
  moreUnused: { fields: 1, count: 9 },
});
