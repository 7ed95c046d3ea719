import { join } from "node:path";
import { objectOf } from "./metrics.ts";
import type { RunState } from "../log/state.ts";

/** Paths and options of a run as its user would type them. */
export interface Place {
  /** The run's folder. */
  readonly dir: string;
  /** The pipeline file. */
  readonly file: string;
  /** Options every command about this run needs: empty, or `--runs DIR`. */
  readonly options: readonly string[];
}

export interface NextCommand {
  readonly why: string;
  readonly command: string;
}

/** What one would want to do next with a run in this state. */
export function nextCommands(state: RunState, place: Place): NextCommand[] {
  const temper = (verb: string, argument: string, ...more: string[]) =>
    ["deno", "task", verb, shellWord(argument), ...more, ...place.options].join(" ");
  const follow = { why: "Follow it", command: temper("logs", state.id, "-f") };
  const cancel = { why: "Cancel it", command: temper("cancel", state.id) };
  switch (state.state) {
    case "running":
      return [follow, cancel];
    case "interrupted":
      return [{ why: "Resume it", command: temper("run", place.file) }, cancel];
    case "failed":
      return [
        { why: "Read its log", command: temper("logs", state.id, ...state.job ? ["--trainer"] : []) },
        { why: "Run it again", command: temper("run", place.file) },
      ];
    case "cancelled":
      return [{ why: "Run it again", command: temper("run", place.file) }];
    case "done":
      return talk(state, place);
  }
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
