import { denoFs } from "../src/lib/files/fs.ts";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface TimedTest {
  readonly name: string;
  readonly seconds: number;
}

/** Sums the suites of a JUnit file; none when the runner ended before it wrote one. */
export async function junitCounts(junit: string): Promise<Counts> {
  const tags = (await textOf(junit)).match(/<testsuite\s[^>]*>/g) ?? [];
  const all = (name: string) => tags.reduce((sum, tag) => sum + Number(attribute(tag, name) ?? 0), 0);
  const skipped = all("skipped") + all("disabled");
  const failed = all("failures") + all("errors");
  return { passed: all("tests") - failed - skipped, failed, skipped };
}

/** Every test of a JUnit file, with its file before its name; the steps of one are part of it. */
export async function junitTests(junit: string): Promise<TimedTest[]> {
  const tags = (await textOf(junit)).match(/<testcase\s[^>]*>/g) ?? [];
  const tests = tags.map((tag) => ({
    name: `${attribute(tag, "classname")?.replace(/^\.\//, "")} ${attribute(tag, "name")}`,
    seconds: Number(attribute(tag, "time") ?? 0),
  }));
  const names = new Set(tests.map(({ name }) => name));
  return tests.filter(({ name }) => {
    const parts = name.split(" > ");
    return !parts.some((_, i) => i > 0 && names.has(parts.slice(0, i).join(" > ")));
  });
}

async function textOf(junit: string): Promise<string> {
  return await denoFs.stat(junit) ? await denoFs.readText(junit) : "";
}

function attribute(tag: string, name: string): string | undefined {
  return new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]?.replace(/&(\w+|#\d+|#x[\da-f]+);/gi, unescaped);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescaped(entity: string, name: string): string {
  if (!name.startsWith("#")) return ENTITIES[name] ?? entity;
  return String.fromCodePoint(Number(name.replace("#x", "0x").replace("#", "")));
}
