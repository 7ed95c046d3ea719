import { oneLine } from "../lib/text/text_width.ts";
import { wrap } from "../lib/text/wrap.ts";
import type { RunTags } from "../log/run_tags.ts";
import type { Palette } from "./palette.ts";

/** A run's tags in one line, below them its note. Empty without either. `width` 0: no bound. */
export function tagLines({ tags, note, problem }: RunTags, palette: Palette, width: number): string[] {
  const room = width > 0 ? Math.max(1, width - 2) : Infinity;
  const indented = (text: string) => text.split("\n").flatMap((line) => wrap(oneLine(line), room));
  return [
    ...tags.length === 0 ? [] : wrap(tags.join(", "), room).map((line) => `  ${palette.accent(line)}`),
    ...note === undefined ? [] : indented(note).map((line) => `  ${line}`),
    ...problem === undefined ? [] : indented(problem).map((line) => `  ${palette.warn(line)}`),
  ];
}
