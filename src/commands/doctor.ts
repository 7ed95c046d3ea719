import { jsonText } from "../lib/json/json_file.ts";
import { EXIT } from "../lib/errors.ts";
import { oneLine, pad } from "../lib/text/text_width.ts";
import { wrap } from "../lib/text/wrap.ts";
import { asCalled } from "../lib/text/invocation.ts";
import { doctor as examine } from "../library/doctor/doctor.ts";
import type { Diagnostic } from "../providers/diagnostic.ts";
import { createPalette, type Palette } from "../ui/palette.ts";
import { CACHE_OPTION, type Command, RUNS_OPTION } from "../cli/command.ts";
import { libraryOptions } from "../cli/library_options.ts";

const NAME_WIDTH = 11;

export const doctor: Command = {
  name: "doctor",
  summary: "Report what is installed, reachable or missing, and how to fix it",
  usage: "[FILE]",
  positionals: [0, 1],
  options: { runs: RUNS_OPTION, cache: CACHE_OPTION },
  details:
    "With FILE also whether the cluster that its engine section names can be used. Changes nothing. Exits with 1 when something is missing that every run needs, or that one.\n\n`temper doctor`",
  async run(context) {
    const { terminal, values, positionals: [file] } = context;
    const palette = createPalette(terminal.color);
    const findings: Diagnostic[] = [];
    for await (
      const { fix, ...found } of examine({ ...libraryOptions(context), ...file !== undefined && { file } })
    ) {
      const finding = { ...found, ...fix !== undefined && { fix: asCalled(fix, context.invocation) } };
      findings.push(finding);
      if (!values["json"]) terminal.out(findingText(finding, palette, terminal.columns("out")));
    }
    const missing = findings.some(({ state }) => state === "missing");
    if (values["json"]) terminal.out(jsonText({ ok: !missing, checks: findings }));
    return missing ? EXIT.failed : EXIT.ok;
  },
};

function findingText({ name, state, found, fix }: Diagnostic, palette: Palette, width: number): string {
  const mark = { ok: palette.good("✓"), warn: palette.warn("!"), missing: palette.bad("✗") }[state];
  const indent = " ".repeat(NAME_WIDTH + 6);
  const room = width === 0 ? Infinity : Math.max(1, width - indent.length);
  const [first = "", ...rest] = wrap(oneLine(found), room);
  const more = [...rest, ...fix === undefined ? [] : wrap(oneLine(fix), room).map(palette.accent)];
  const lines = [`  ${mark} ${pad(name, NAME_WIDTH)}  ${first}`, ...more.map((line) => indent + line)];
  return lines.map((line) => `${line}\n`).join("");
}
