import { COMMON_OPTIONS } from "./args.ts";
import type { Command, Option } from "./command.ts";

/** What `temper NAME --help` prints. */
export function commandHelp(command: Command): string {
  const { name, usage, summary, options, details } = command;
  const rows = Object.entries({ ...options, ...COMMON_OPTIONS }).map(([long, option]) =>
    [
      `${option.short ? `-${option.short}, ` : "    "}--${long}${option.value ? ` ${option.value}` : ""}`,
      `${option.help}${defaultOf(option)}`,
    ] as const
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    `${summary}.`,
    "",
    `Usage: \`temper ${name}${usage === "" ? "" : ` ${usage}`} [options]\``,
    ...details === undefined ? [] : ["", details],
    "",
    "Options:",
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    "",
  ].join("\n");
}

function defaultOf(option: Option): string {
  return typeof option.default === "string" ? ` (default: ${option.default})` : "";
}
