import { denoFs } from "../src/lib/files/fs.ts";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Sums the suites of a JUnit file; none when the runner ended before it wrote one. */
export async function junitCounts(junit: string): Promise<Counts> {
  if (!await denoFs.stat(junit)) return { passed: 0, failed: 0, skipped: 0 };
  const tags = (await denoFs.readText(junit)).match(/<testsuite\s[^>]*>/g) ?? [];
  const all = (attribute: string) =>
    tags.map((tag) => Number(new RegExp(`\\s${attribute}="(\\d+)"`).exec(tag)?.[1] ?? 0)).reduce(
      (a, b) => a + b,
      0,
    );
  const skipped = all("skipped") + all("disabled");
  const failed = all("failures") + all("errors");
  return { passed: all("tests") - failed - skipped, failed, skipped };
}
