import { join } from "node:path";
import { objectOf } from "./scores.ts";
import type { RunState } from "./state.ts";

/** Paths and options of a run as its user would type them. */
export interface Place {
  /** The run's folder. */
  readonly dir: string;
  /** The pipeline file. */
  readonly file: string;
  /** Words that every command about this run needs: none, or `--runs DIR`. */
  readonly options: readonly string[];
  /** Words that only running it again needs: its overrides, its cache. */
  readonly runOptions: readonly string[];
}

export interface NextCommand {
  readonly why: string;
  readonly command: string;
}

/** What one would want to do next with a run in this state. */
export function nextCommands(state: RunState, place: Place): NextCommand[] {
  const temper = (...words: string[]) => temperCommand(place, ...words);
  const run = temper("run", place.file, ...place.runOptions);
  const follow = { why: "Follow it", command: temper("logs", state.id, "-f") };
  const cancel = { why: "Cancel it", command: temper("cancel", state.id) };
  switch (state.state) {
    case "running":
      return [follow, cancel];
    case "interrupted":
      return [{ why: "Resume it", command: run }, cancel];
    case "failed":
      return [
        { why: "Read its log", command: temper("logs", state.id, ...state.job ? ["--trainer"] : []) },
        { why: "Run it again", command: run },
      ];
    case "cancelled":
      return [{ why: "Run it again", command: run }];
    case "done":
      return talk(state, place);
  }
}

/** A command about the run in this place, as one would type it. */
export function temperCommand(place: Place, ...words: string[]): string {
  return ["deno", "task", ...words, ...place.options].map(shellWord).join(" ");
}

/** How to talk to the model: by its name where it is served, otherwise from its files. */
function talk(state: RunState, place: Place): NextCommand[] {
  const { served } = state.metrics;
  if (typeof served === "string") return [{ why: "Talk to it", command: `ollama run ${shellWord(served)}` }];
  const pathOf = (kind: string) => {
    const artifact = state.artifacts.find((artifact) => artifact.kind === kind);
    return artifact && shellWord(join(place.dir, artifact.path));
  };
  const modelfile = pathOf("modelfile");
  const gguf = pathOf("gguf");
  if (modelfile !== undefined && gguf !== undefined) {
    const { model } = objectOf(state.metrics.registration);
    const name = shellWord(typeof model === "string" ? model : state.name);
    return [
      { why: "Serve it", command: `ollama create ${name} -f ${modelfile}` },
      { why: "Talk to it", command: `ollama run ${name}` },
    ];
  }
  return gguf === undefined ? [] : [{ why: "Talk to it", command: `llama-cli -m ${gguf} -cnv` }];
}

/** A word that a POSIX shell reads back as it is. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
