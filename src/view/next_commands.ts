import { basename, dirname, join } from "../deps/path.ts";
import { masked } from "../lib/net/secrets.ts";
import type { ErrorInfo } from "../log/events.ts";
import { asCalled, commandLine, type Invocation } from "../lib/text/invocation.ts";
import { shellWord } from "../lib/text/shell_word.ts";
import type { Activity } from "./activity.ts";
import { objectOf } from "./scores.ts";
import type { RunState } from "../log/run_state.ts";

/** Paths and options of a run as its user would type them. */
export interface Place {
  /** The run's folder. */
  readonly dir: string;
  /** The pipeline file. */
  readonly file: string;
  /** Words that every command about this run needs: none, or `--runs DIR`. */
  readonly options: readonly string[];
  /** Of its file. */
  readonly variant: Variant;
  /** Further words that only running it again needs: its cache. */
  readonly runOptions: readonly string[];
  /** How temper was called. */
  readonly invocation: Invocation;
}

/** Which variant of its pipeline file a run is of: a combination of the matrix, and overrides. */
export interface Variant {
  readonly cell?: string | undefined;
  /** Each `PATH=VALUE`. */
  readonly set?: readonly string[] | undefined;
  /** One of them contains a secret, which is masked in it. */
  readonly setMasked?: boolean | undefined;
  /** The cache it was made with. */
  readonly cache?: { readonly dir: string; readonly whole: boolean } | undefined;
}

/** The same as options of the command line, which is of use unless something in it is masked. */
export function variantWords({ cell, set = [] }: Variant): string[] {
  return [...cell === undefined ? [] : ["--cell", cell], ...set.flatMap((override) => ["--set", override])];
}

/** The cache as an option, where one was asked for. */
export function cacheWords({ cache }: Variant): string[] {
  return cache?.whole ? ["--cache", cache.dir] : [];
}

export interface NextCommand {
  readonly why: string;
  /** What to type; in words where only the user's own program can do it. */
  readonly command: string;
}

/** What running it again is for, where a run without a command has left something. */
const AGAIN: { readonly [activity in Activity]?: string } = {
  unattended: "Follow it to its end",
  stalled: "Follow it to its end",
  trained: "Collect it",
};

/** Suggested next commands for a run in this state. `activity`: what goes on in it, where that is known. */
export function nextCommands(
  state: RunState,
  place: Place,
  activity: Activity = state.state,
): NextCommand[] {
  const temper = (...words: string[]) => temperCommand(place, ...words);
  const by = runAgainBy(state, place.variant);
  const run = by === "command"
    ? temper("run", place.file, ...variantWords(place.variant), ...place.runOptions)
    : BY_HAND[by];
  const follow = { why: "Follow it", command: temper("logs", state.id, "-f") };
  const cancel = { why: "Cancel it", command: temper("cancel", state.id) };
  switch (state.state) {
    case "running":
      return [follow, cancel];
    case "interrupted":
      return [
        { why: AGAIN[activity] ?? "Resume it", command: by === "command" ? temper("resume", state.id) : run },
        cancel,
      ];
    case "failed":
      return [
        {
          why: "Read its log",
          command: temper("logs", state.id, ...hasTrainerLog(state) ? ["--trainer"] : []),
        },
        { why: "Run it again", command: run },
      ];
    case "cancelled":
      return [{ why: "Run it again", command: run }];
    case "done":
      return talk(state, place);
  }
}

/** Why a command is not shown. */
export const SECRET_SET = "a secret in its --set values is not kept";

/** What does it where no command can. */
const BY_HAND = {
  program: "run your program again",
  user: `repeat the command that started it: ${SECRET_SET}`,
} as const;

/** What runs or resumes it: a command, the program that defines it, or a command that only its user knows. */
export function runAgainBy(
  run: Pick<RunState, "id" | "pipeline">,
  { setMasked }: Variant,
): "command" | "program" | "user" {
  if (isDefinedInCode(run)) return "program";
  return setMasked ? "user" : "command";
}

/**
 * Whether its only pipeline file is the copy that the run keeps: the program that defines the pipeline has what the
 * copy lacks, such as what was masked, its own steps and providers, and overrides.
 */
export function isDefinedInCode({ id, pipeline }: Pick<RunState, "id" | "pipeline">): boolean {
  return basename(pipeline) === "pipeline.yaml" && basename(dirname(pipeline)) === id;
}

/** An error as it was written, with the commands in its hint as they are called here. */
export function errorAsCalled<Error extends Pick<ErrorInfo, "hint">>(
  error: Error | undefined,
  invocation: Invocation,
): Error | undefined {
  return error?.hint === undefined ? error : { ...error, hint: asCalled(error.hint, invocation) };
}

/** A job that temper's trainer runs has its own log; a hosted job reports into the run's log. */
function hasTrainerLog({ job }: RunState): boolean {
  return job?.["pid"] !== undefined || job?.["engine"] !== undefined;
}

/** A command about the run in this place, as one would type it. */
export function temperCommand(place: Place, ...words: string[]): string {
  return commandLine(place.invocation, ...words, ...place.options);
}

/** How to talk to the model where it is served, and what serves it where it is not: nothing answers before that. */
function talk(state: RunState, place: Place): NextCommand[] {
  const { call, deploy } = state.metrics;
  if (typeof call === "string") {
    const first = typeof deploy === "string" ? [{ why: "Deploy it", command: deploy }] : [];
    return [...first, { why: "Talk to it", command: call }];
  }
  const { command } = objectOf(state.metrics.registration);
  if (typeof command === "string") {
    return [
      // Earlier versions wrote addresses as they were given.
      { why: "Talk to it", command: masked(command) },
      { why: "Remove it", command: temperCommand(place, "unregister", state.id) },
    ];
  }
  const gguf = state.artifacts.find(({ kind }) => kind === "gguf");
  if (!gguf) return [];
  if (state.artifacts.some(({ kind }) => kind === "modelfile")) {
    return [{ why: "Serve it", command: temperCommand(place, "register", state.id) }];
  }
  return [{
    why: "Try it",
    command: `llama-cli -m ${shellWord(join(place.dir, gguf.path))} -cnv`,
  }];
}
