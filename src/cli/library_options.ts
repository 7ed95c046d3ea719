import { UsageError } from "../lib/errors.ts";
import type { DataOptions } from "../library/load_pipeline.ts";
import type { RunOptions } from "../library/run.ts";
import type { CommandContext } from "./command.ts";

/** Options that are handed on to the library as they are, by their names there. */
const STRINGS = {
  runs: "runsDir",
  cache: "cacheDir",
  cell: "cell",
  prices: "prices",
  memory: "memory",
  adopt: "adopt",
} as const;
const SWITCHES = { force: "force", takeover: "takeover", "create-anyway": "createAnyway" } as const;

/** What the library is told by this command line, of the options that its command has. */
export function libraryOptions(
  { fs, clock, cwd, env, values }: CommandContext,
): RunOptions & DataOptions {
  if (typeof values["adopt"] === "string" && values["create-anyway"] === true) {
    throw new UsageError(
      "bad-option",
      "Cannot use --adopt together with --create-anyway: adopt a job or create one",
    );
  }
  const strings = Object.entries(STRINGS).filter(([flag]) => typeof values[flag] === "string");
  const switches = Object.entries(SWITCHES).filter(([flag]) => values[flag] === true);
  return {
    fs,
    clock,
    cwd,
    env,
    ...Object.fromEntries(strings.map(([flag, name]) => [name, values[flag]])),
    ...Object.fromEntries(switches.map(([, name]) => [name, true])),
    ...Array.isArray(values["set"]) && { set: values["set"] },
    ...values["no-data"] === true && { data: false },
  };
}
