import { splitAt, textWidth } from "./text_width.ts";

/** Lines of at most `width` columns, broken at spaces; a word that is longer is broken inside, or kept whole. */
export function wrap(text: string, width: number, long: "break" | "keep" = "break"): string[] {
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of text.split(" ").flatMap((word) => long === "keep" ? [word] : pieces(word, width))) {
    const longer = line === undefined ? word : `${line} ${word}`;
    if (line !== undefined && textWidth(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line ?? ""];
}

function pieces(word: string, width: number): string[] {
  const result: string[] = [];
  let rest = word;
  while (textWidth(rest) > width) {
    const [head, tail] = splitAt(rest, width);
    if (tail === "") break;
    result.push(head);
    rest = tail;
  }
  return [...result, rest];
}
