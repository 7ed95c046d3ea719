/** Wide in a terminal by their Unicode block: CJK, Hangul, full-width forms. Pairs of first and last. */
const WIDE = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x17000, 0x18cff],
  [0x1b000, 0x1b2ff],
  [0x1f200, 0x1f2ff],
  [0x20000, 0x3fffd],
] as const;

let segmenter: Intl.Segmenter | undefined;

/** Made when the first text needs it, which most do not: it takes milliseconds. */
function segments(text: string): Intl.Segments {
  return (segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" })).segment(text);
}

/** Characters of one column and one code unit that do not join: what nearly every line is made of. */
const SIMPLE =
  /^[\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2190-\u21ff\u2500-\u259f\u2713\u2717\u2800-\u28ff]*$/;
// deno-lint-ignore no-control-regex
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu;
// deno-lint-ignore no-control-regex
const STYLE = /\x1b\[[0-9;]*m/g;

/** Columns that `text` takes in a terminal; colour sequences take none. */
export function textWidth(text: string): number {
  const bare = text.replace(STYLE, "");
  if (SIMPLE.test(bare)) return bare.length;
  let width = 0;
  for (const { segment } of segments(bare)) width += graphemeWidth(segment);
  return width;
}

/** `text` cut to `width` columns, with `…` in its last one when something was cut. For text without colour. */
export function truncate(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let used = 0;
  let kept = "";
  for (const { segment } of segments(text)) {
    used += graphemeWidth(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return width < 1 ? "" : `${kept}…`;
}

/** Like truncate, but cuts the middle: of a path the ends say most. */
export function truncateMiddle(text: string, width: number): string {
  if (textWidth(text) <= width || width < 5) return truncate(text, width);
  const graphemes = Array.from(segments(text), ({ segment }) => segment);
  const head = take(graphemes, Math.floor((width - 1) / 2));
  const tail = take(graphemes.reverse(), Math.ceil((width - 1) / 2));
  return `${head.join("")}…${tail.reverse().join("")}`;
}

/** As much of `text` as fits `width` columns, at least one character, and the rest. */
export function splitAt(text: string, width: number): [head: string, rest: string] {
  const graphemes = Array.from(segments(text), ({ segment }) => segment);
  const head = take(graphemes, width).join("") || (graphemes[0] ?? "");
  return [head, text.slice(head.length)];
}

/** `text` with spaces up to `width` columns. */
export function pad(text: string, width: number, align: "left" | "right" = "left"): string {
  const space = " ".repeat(Math.max(0, width - textWidth(text)));
  return align === "left" ? text + space : space + text;
}

/**
 * Text that others wrote, on one line and without power over the terminal: control characters, and those
 * that reorder text, become visible.
 */
export function oneLine(text: string): string {
  return text.replace(/\r?\n/g, "↵").replace(/\t/g, " ").replace(UNSAFE, (character) => {
    const code = character.codePointAt(0)!;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    return code === 0x7f ? "␡" : "�";
  });
}

/** The first line of text that others wrote. */
export function firstLine(text: string): string {
  return oneLine(text.split("\n", 1)[0]!);
}

function take(graphemes: readonly string[], width: number): string[] {
  const taken: string[] = [];
  let used = 0;
  for (const grapheme of graphemes) {
    used += graphemeWidth(grapheme);
    if (used > width) break;
    taken.push(grapheme);
  }
  return taken;
}

function graphemeWidth(grapheme: string): number {
  const code = grapheme.codePointAt(0)!;
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return 0;
  if (/^[\p{Mn}\p{Me}\p{Cf}]/u.test(grapheme) && code !== 0xad) return 0;
  if (/\p{Emoji_Presentation}/u.test(grapheme) || grapheme.includes("\ufe0f")) return 2;
  // Spacing marks join the letter before them, yet terminals give each a column.
  const marks = grapheme.match(/(?<!^)\p{Mc}/gu)?.length ?? 0;
  return (WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1) + marks;
}

/**
 * Characters that show nothing where they stand: zero-width ones, joiners, marks of direction, soft hyphens, fillers.
 * Between others they can matter (an emoji's joiner), but alone they are no text.
 */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cf}\u2800]/gu;

/** The text without them. */
export function withoutInvisible(text: string): string {
  // Most texts are plain ASCII, which has none.
  return /^\p{ASCII}*$/u.test(text) ? text : text.replace(INVISIBLE, "");
}
