import { join } from "node:path";
import type { Fs } from "../../lib/fs.ts";
import { readLines } from "../../lib/lines.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { SetName } from "../extract/sources.ts";
import { type CheckName, excerptOf, type Finding, type Findings, KEPT } from "./findings.ts";
import { EXAMPLE_FILES, type Sides } from "./sides.ts";

/** A row that repeats an earlier one, by their numbers in their sets. */
interface Repeat {
  readonly row: number;
  readonly first: number;
}

/** Finds repeated conversations in train, and inputs of eval that train has too. */
export async function compareRows(sides: Sides, findings: Findings, out: string, fs: Fs): Promise<void> {
  const duplicates = await findDuplicates(sides);
  await report("duplicates", duplicates, "train", ["row", "is the same conversation as"], findings, out, fs);
  const leaks = await findLeaks(sides);
  await report("leakage", leaks, "eval", ["input", "is the same as that of train's"], findings, out, fs);
}

interface Repeats {
  count: number;
  readonly first: Repeat[];
}

async function findDuplicates({ conversations }: Sides): Promise<Repeats> {
  const repeats: Repeats = { count: 0, first: [] };
  const fold = (group: number[] | undefined, row: number) => {
    if (!group) return [row];
    repeats.count++;
    if (group.length <= KEPT) group.push(row);
    return group;
  };
  for await (const groups of conversations.groups<number[]>(fold)) {
    for (const [first = 0, ...rest] of groups.values()) for (const row of rest) keep(repeats, { row, first });
  }
  return repeats;
}

/** The first row of train, and rows of eval, that share an input. */
interface Shared {
  train: number;
  count: number;
  readonly rows: number[];
}

async function findLeaks({ inputs }: Sides): Promise<Repeats> {
  const repeats: Repeats = { count: 0, first: [] };
  const fold = (group: Shared = { train: -1, count: 0, rows: [] }, value: number) => {
    const row = Math.floor(value / 2);
    if (value % 2 === 0) {
      if (group.train < 0) group.train = row;
    } else {
      group.count++;
      if (group.rows.length < KEPT) group.rows.push(row);
    }
    return group;
  };
  for await (const groups of inputs.groups<Shared>(fold)) {
    for (const { train, count, rows } of groups.values()) {
      if (train < 0) continue;
      repeats.count += count;
      for (const row of rows) keep(repeats, { row, first: train });
    }
  }
  return repeats;
}

/** Keeps the repeats that come first in their file. */
function keep({ first }: Repeats, repeat: Repeat): void {
  if (first.length === KEPT && (first[KEPT - 1] as Repeat).row < repeat.row) return;
  const at = first.findIndex(({ row }) => row > repeat.row);
  first.splice(at < 0 ? first.length : at, 0, repeat);
  first.length = Math.min(first.length, KEPT);
}

async function report(
  check: CheckName & ("duplicates" | "leakage"),
  { count, first }: Repeats,
  set: SetName,
  [field, relation]: readonly [string, string],
  findings: Findings,
  out: string,
  fs: Fs,
): Promise<void> {
  if (count === 0) return;
  const later = await examplesAt(join(out, EXAMPLE_FILES[set]), new Set(first.map(({ row }) => row)), fs);
  const earlier = await examplesAt(
    join(out, EXAMPLE_FILES.train),
    new Set(first.map((repeat) => repeat.first)),
    fs,
  );
  findings.count(check, count);
  findings.keep(
    check,
    first.map(({ row, first }): Finding => ({
      origin: later.get(row)?.origin ?? "",
      field,
      problem: `${relation} ${earlier.get(first)?.origin}`,
      excerpt: excerptOf(later.get(row)?.input),
    })),
  );
}

/** Where examples come from, and what they ask. */
async function examplesAt(path: string, rows: ReadonlySet<number>, fs: Fs) {
  const found = new Map<number, { origin: string; input: string }>();
  const last = Math.max(...rows);
  for await (const { first, lines } of readLines(fs.readStream(path), { maxBytes: Infinity })) {
    for (const [i, line] of lines.entries()) {
      const row = first - 1 + i;
      if (!rows.has(row)) continue;
      const { origin, messages } = JSON.parse(line) as { origin: string; messages: JsonObject[] };
      const asked = messages.findLast(({ role }) => role === "user");
      found.set(row, { origin, input: excerptOf(asked?.["content"]) });
    }
    if (first + lines.length > last) break;
  }
  return found;
}
