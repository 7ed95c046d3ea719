import type { Clock } from "../lib/clock.ts";
import type { ExitCode } from "../lib/errors.ts";
import type { Fs } from "../lib/files/fs.ts";
import type { Invocation } from "../lib/text/invocation.ts";
import type { Terminal } from "../lib/terminal.ts";

export type { Terminal };

/** One option, as node:util parseArgs understands it, with its help. */
export interface Option {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly multiple?: boolean;
  readonly default?: string | boolean;
  /** Name of the value in help: DIR, PATH=VALUE. */
  readonly value?: string;
  readonly help: string;
}

export interface CommandContext {
  readonly values: Readonly<Record<string, string | boolean | string[] | undefined>>;
  readonly positionals: readonly string[];
  readonly terminal: Terminal;
  readonly fs: Fs;
  readonly clock: Clock;
  /** Absolute folder the command was called in. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How this program was called, for hints that name a command. */
  readonly invocation: Invocation;
  /** Calls back at each Ctrl-C (SIGINT) and at SIGTERM, with how often it happened. Without a listener the process ends. */
  onInterrupt(listener: (signal: "SIGINT" | "SIGTERM", count: number) => void): void;
}

/** One word of the command line. Its module is imported only when it is called. */
export interface Command {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** After the name: "FILE…", "RUN", "". */
  readonly usage: string;
  /** [least, most] positionals. */
  readonly positionals: readonly [number, number];
  /** Beside --help and --json, which every command has. */
  readonly options: Readonly<Record<string, Option>>;
  /** A paragraph and examples for `--help`. */
  readonly details?: string;
  run(context: CommandContext): Promise<ExitCode>;
}

/** Options that several commands share, so that they are named and explained once. */
export const RUNS_OPTION: Option = {
  type: "string",
  default: "runs",
  value: "DIR",
  help: "Folder of the runs",
};
export const CACHE_OPTION: Option = {
  type: "string",
  value: "DIR",
  help: "Folder for cached files (default: .temper for this project's step outputs; TEMPER_CACHE or the " +
    "user's cache folder for Python environments and converted bases)",
};
export const SET_OPTION: Option = {
  type: "string",
  multiple: true,
  value: "PATH=VALUE",
  help: "Override one field of the file; the value is YAML, such as --set train.epochs=2",
};
export const NO_DATA_OPTION: Option = {
  type: "boolean",
  help: "Do not read the rows of the data",
};
export const CELL_OPTION: Option = {
  type: "string",
  value: "LABEL",
  help: "With a matrix: use only this combination",
};
export const FORCE_OPTION: Option = {
  type: "boolean",
  help: "Continue even if the estimate exceeds the available memory",
};
export const MEMORY_OPTION: Option = {
  type: "string",
  value: "SIZE",
  help:
    "Memory of the devices, such as 24GiB, or 8x80GB for eight of them, instead of this machine's; they are CUDA " +
    "devices unless train.device says otherwise, and of an mps machine's memory what Metal allows counts",
};
export const PRICES_OPTION: Option = {
  type: "string",
  value: "FILE",
  help: "File with prices of hosted models that are missing or outdated in temper's own table",
};
export const TAKEOVER_OPTION: Option = {
  type: "boolean",
  help: "Take over a run last driven by another host; first make sure that no process drives it there",
};
export const ADOPT_OPTION: Option = {
  type: "string",
  value: "ID",
  help: "Use this existing hosted job instead of starting one",
};
export const CREATE_ANYWAY_OPTION: Option = {
  type: "boolean",
  help: "Start, and pay for, a hosted job even if an identical one exists",
};
export const PARALLEL_OPTION: Option = {
  type: "string",
  default: "1",
  value: "N",
  help: "Run N combinations at the same time; trainings on this machine then share its cores and memory",
};

/** Of every command that is about to use a pipeline file. */
export const PIPELINE_OPTIONS = {
  runs: RUNS_OPTION,
  cache: CACHE_OPTION,
  set: SET_OPTION,
  force: FORCE_OPTION,
} as const;
