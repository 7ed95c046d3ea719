import { diffArrays } from "../../deps/diff.ts";

/** A stretch of two texts: in both, only in the one that was expected, or only in the other. */
export interface DifferencePart {
  readonly kind: "same" | "missing" | "added";
  readonly text: string;
}

/** More words to change than this are no longer read one by one, and finding them would take long. */
const MOST_EDITS = 300;
const WORDS = new Intl.Segmenter("en", { granularity: "word" });

/**
 * What turns `expected` into `actual`, word by word. Nothing of either text is lost: what is the same and what is
 * missing joins to `expected`, what is the same and what was added to `actual`.
 */
export function wordDifference(expected: string, actual: string): readonly DifferencePart[] {
  if (expected === actual) return expected === "" ? [] : [{ kind: "same", text: expected }];
  const [before, after] = [wordsOf(expected), wordsOf(actual)];
  const changes = diffArrays(before, after, { maxEditLength: MOST_EDITS });
  if (!changes) return betweenEnds(before, after);
  return joined(changes.map(({ added, removed, value }) => ({
    kind: added ? "added" : removed ? "missing" : "same",
    text: value.join(""),
  })));
}

/** Words, numbers, marks and spaces, which join to the text. */
function wordsOf(text: string): string[] {
  return Array.from(WORDS.segment(text), ({ segment }) => segment);
}

/** For texts that differ in too many words: what their beginnings and their ends share. */
function betweenEnds(before: readonly string[], after: readonly string[]): DifferencePart[] {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const middle = (words: readonly string[]) => words.slice(head, words.length - tail).join("");
  return joined([
    { kind: "same", text: before.slice(0, head).join("") },
    { kind: "missing", text: middle(before) },
    { kind: "added", text: middle(after) },
    { kind: "same", text: before.slice(before.length - tail).join("") },
  ]);
}

/** Changes that only a space separates are one change: "the light" to "a lamp" is easier to read than word by word. */
function joined(parts: readonly DifferencePart[]): DifferencePart[] {
  const found: DifferencePart[] = [];
  let [missing, added] = ["", ""];
  const flush = () => {
    if (missing !== "") found.push({ kind: "missing", text: missing });
    if (added !== "") found.push({ kind: "added", text: added });
    [missing, added] = ["", ""];
  };
  for (const [i, { kind, text }] of parts.entries()) {
    const next = parts[i + 1];
    if (kind === "missing") missing += text;
    else if (kind === "added") added += text;
    else if (missing !== "" && added !== "" && next && next.kind !== "same" && text.trim() === "") {
      [missing, added] = [missing + text, added + text];
    } else {
      flush();
      if (text !== "") found.push({ kind, text });
    }
  }
  flush();
  return found;
}
