import { textWidth, truncate } from "./text_width.ts";

/** Lines of at most `width` columns, broken at spaces; a word that is longer is broken inside. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((word) => pieces(word, width))) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && textWidth(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

function pieces(word: string, width: number): string[] {
  const result: string[] = [];
  let rest = word;
  while (textWidth(rest) > width) {
    // One column more, because truncate marks the cut with one of its own.
    const head = truncate(rest, width + 1).slice(0, -1) || rest.slice(0, [...rest][0]!.length);
    result.push(head);
    rest = rest.slice(head.length);
  }
  return [...result, rest];
}
