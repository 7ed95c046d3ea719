/**
 * The candidate that was most likely meant by `word`, or undefined when none is close: at most one edit for
 * each three letters, counting a swap of neighbours as one; case and `-` for `_` cost nothing.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const typed = fold(word);
  const limit = Math.max(1, Math.floor(typed.length / 3));
  let best: string | undefined;
  let least = limit + 1;
  for (const candidate of candidates) {
    const distance = editDistance(typed, fold(candidate), least);
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best ?? byBeginning(typed, candidates);
}

/** `did you mean "x"`, for a hint; undefined when nothing is close. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const match = nearest(word, candidates);
  return match === undefined ? undefined : `did you mean "${match}"`;
}

/** The only candidate that begins as `typed` does: people shorten words. */
function byBeginning(typed: string, candidates: Iterable<string>): string | undefined {
  if (typed.length < 3) return undefined;
  const matches = [...candidates].filter((candidate) => fold(candidate).startsWith(typed));
  return matches.length === 1 ? matches[0] : undefined;
}

function fold(text: string): string {
  return text.slice(0, 100).toLowerCase().replaceAll("-", "_");
}

/** Optimal string alignment distance; stops counting at `enough`. */
function editDistance(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough;
  let above: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, above[j - 2]! + 1);
      }
      next.push(cost);
    }
    above = row;
    row = next;
  }
  return row[b.length]!;
}
