import { parseArgs } from "../deps/cli.ts";
import { UsageError } from "../lib/errors.ts";
import { didYouMean } from "../lib/text/nearest.ts";
import type { Command, CommandContext, Option } from "./command.ts";

/** Options that every command has. */
export const COMMON_OPTIONS: Readonly<Record<string, Option>> = {
  json: { type: "boolean", help: "Print JSON, and nothing else, on stdout" },
  help: { type: "boolean", short: "h", help: "Print this help" },
};

export type ParsedArgs = Pick<CommandContext, "values" | "positionals">;

/** Reads the words after a command's name. Throws a UsageError that names the nearest option. */
export function parseCommandLine(command: Command, argv: readonly string[]): ParsedArgs {
  const options = { ...command.options, ...COMMON_OPTIONS };
  // Not strict, so that the words of every refusal are ours.
  const { values, positionals, tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(Object.entries(options).map(([name, o]) => [name, parserOption(o)])),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "option") checkOption(command, options, token);
  }
  if (values["help"] !== true) checkCount(command, positionals.length);
  return { values: values as ParsedArgs["values"], positionals };
}

/** Exact optional types: an absent property and one that is undefined are not the same to parseArgs. */
function parserOption({ type, short, multiple, default: value }: Option) {
  return {
    type,
    ...short !== undefined && { short },
    ...multiple !== undefined && { multiple },
    ...value !== undefined && { default: value },
  };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function checkOption(command: Command, options: Readonly<Record<string, Option>>, token: OptionToken): void {
  const { name, rawName, value, inlineValue } = token;
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  const help = `\`temper ${command.name} --help\` lists the options`;
  if (!option) {
    const names = Object.keys(options).map((known) => `--${known}`);
    throw new UsageError("unknown-option", `Unknown option of ${command.name}: found "${rawName}"`, {
      hint: rawName.startsWith("--") ? didYouMean(rawName, names) ?? help : help,
    });
  }
  if (option.type === "boolean" && value !== undefined) {
    throw new UsageError("bad-option", `Cannot read ${rawName}: it does not take a value, found "${value}"`);
  }
  if (
    option.type === "string" &&
    (value === undefined || value === "" || (!inlineValue && value.startsWith("--")))
  ) {
    const found = value ? `found the option "${value}"` : "found none";
    throw new UsageError(
      "bad-option",
      `Cannot read ${rawName}: it needs a value (${option.value}), ${found}`,
      {
        hint: help,
      },
    );
  }
}

function checkCount({ name, usage, positionals: [least, most] }: Command, count: number): void {
  if (count >= least && count <= most) return;
  const wants = usage === "" ? "no arguments" : usage;
  throw new UsageError(
    "bad-arguments",
    `Cannot call ${name}: expected ${wants}, found ${count || "none"}`,
    {
      hint: `\`temper ${name} --help\` shows how to call it`,
    },
  );
}
