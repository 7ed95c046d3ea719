import { join } from "../../../deps/path.ts";
import type { Fs } from "../../../lib/files/fs.ts";
import { readLines } from "../../../lib/files/lines.ts";
import type { JsonObject } from "../../../lib/json/json.ts";
import type { SetName } from "../../extract/sources.ts";
import { DigestIndex } from "./digest_index.ts";
import { type CheckName, excerptOf, type Finding, type Findings, KEPT } from "./findings.ts";
import { EXAMPLE_FILES, type Sides } from "../sides.ts";

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
  const firstRows: number[] = [];
  await DigestIndex.visit([conversations], {
    record(slot, isNew, row) {
      if (isNew) firstRows[slot] = row;
      else keep(repeats, { row, first: firstRows[slot] as number });
    },
  });
  return repeats;
}

async function findLeaks({ inputs }: Sides): Promise<Repeats> {
  const repeats: Repeats = { count: 0, first: [] };
  /** By slot; -1 where the input is eval's alone. */
  const trainRows: number[] = [];
  await DigestIndex.visit([inputs.train, inputs.eval], {
    record(slot, isNew, row, index) {
      if (isNew) trainRows[slot] = index === 0 ? row : -1;
      const first = trainRows[slot] as number;
      if (index === 1 && first >= 0) keep(repeats, { row, first });
    },
  });
  return repeats;
}

/** Counts a repeat, and keeps it if it is among the first of its file. */
function keep(repeats: Repeats, repeat: Repeat): void {
  const { first } = repeats;
  repeats.count++;
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
  for await (const { first, lines } of readLines(fs.readChunks(path), { maxBytes: Infinity })) {
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
