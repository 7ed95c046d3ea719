import { counted } from "../lib/text/format.ts";
import { textWidth, truncate } from "../lib/text/text_width.ts";
import { defaultsText, divided, originText, settingText, type ShownSetting } from "../view/settings.ts";
import type { Palette } from "./palette.ts";
import { table } from "./table.ts";

/** Columns of a line where the terminal does not say how many it has, and the longest a value gets among others. */
const WIDTH = 100;
const VALUE = 40;
/** The least of a reason that is worth its column. */
const WHY = 20;
const GAP = "  ";

/** What a run was made with. `all`: as a table with reasons; otherwise what its file does not say, by where it comes from. */
export function settingsLines(
  settings: readonly ShownSetting[],
  all: boolean,
  palette: Palette,
  width: number,
): string[] {
  if (settings.length === 0) return [];
  const { chosen, defaults } = divided(settings);
  if (all) return wholeTable([...chosen, ...defaults], palette, width);
  const inFile = chosen.filter(({ from }) => from === "file");
  const rest = [
    ...inFile.length === 0 ? [] : [`${counted(inFile.length, "setting")} from the file`],
    ...defaults.length === 0 ? [] : [defaultsText(defaults)],
  ];
  return [
    palette.bold("Settings"),
    ...byOrigin(chosen.filter(({ from }) => from !== "file"), palette, width || WIDTH),
    ...rest.length === 0 ? [] : [GAP + palette.dim(`${rest.join(", ")}: --settings shows all of them`)],
  ];
}

/** A paragraph for each origin, in which no setting is broken. */
function byOrigin(settings: readonly ShownSetting[], palette: Palette, width: number): string[] {
  const origins = [...new Set(settings.map(originText))];
  const longest = Math.max(0, ...origins.map(textWidth));
  const indent = " ".repeat(longest + 2 * GAP.length);
  return origins.flatMap((origin) => {
    const words = settings.filter((setting) => originText(setting) === origin).map((setting) =>
      `${setting.field}=${truncate(settingText(setting), VALUE)}`
    );
    const first = `${GAP}${palette.dim(origin)}${" ".repeat(longest - textWidth(origin))}${GAP}`;
    return packed(words, Math.max(1, width - indent.length)).map((line, i) =>
      (i === 0 ? first : indent) + line
    );
  });
}

function packed(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)}${GAP}${word}`;
    if (lines.length > 0 && textWidth(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(truncate(word, width));
  }
  return lines;
}

function wholeTable(settings: readonly ShownSetting[], palette: Palette, width: number): string[] {
  const rows = settings.map((setting) => [
    { text: `${GAP}${setting.field}` },
    // A long text leaves room for the others, even where lines have no end.
    { text: truncate(settingText(setting), 2 * VALUE), paint: palette.bold },
    { text: originText(setting) },
  ]);
  const columns = [{ title: "Settings" }, { title: "" }, { title: "from" }];
  const taken = Math.max(
    ...table(columns, rows.map((row) => row.map(({ text }) => ({ text }))), 0).map(textWidth),
  );
  const room = width === 0 ? Infinity : width - taken - GAP.length;
  if (room < WHY) return table(columns, rows, width, palette.bold);
  const whole = rows.map((row, i) => [
    ...row,
    { text: truncate(settings[i]!.reason ?? "", room), paint: palette.dim },
  ]);
  return table([...columns, { title: "why" }], whole, width, palette.bold);
}
