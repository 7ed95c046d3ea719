import type { Command } from "./command.ts";

/**
 * Every word after `deno task`, in the order of the help, with the command's own summary: it is repeated here so
 * that the list loads no command. A command lives in the file of its name and is exported under it.
 */
export const COMMANDS: Readonly<Record<string, string>> = {
  check: "Check pipeline files: every problem at once, with its place",
  plan: "Show what a run would do, why, and what it would take; touches nothing",
  run: "Run a pipeline, or go on with its latest run",
  compare: "Run every combination of a matrix, and compare what they cost and give",
  explain: "Say why a step will run again: what changed since the latest run, old and new",
  advise: "Say which method fits this data, model and machine, with numbers",
  runs: "List the runs, newest first",
  show: "Show one run: steps, scores, sample answers, artifacts, what to do next",
  logs: "Print the log of a run; follows it while the run lives",
  cancel: "Stop a run and its training for good",
  register: "Serve a finished run's model with Ollama, and measure what is served",
  unregister: "Remove a run's model from Ollama; the run keeps its files",
  serve: "Show the runs on a page that follows them; reads only",
  prune: "Remove finished runs and stored outputs that nothing refers to; says first what would go",
  doctor: "Say what is installed, reachable and missing, and what fixes it",
  import: "Turn a configuration of another tool into a pipeline file; lists what it could not carry over",
  schema: "Print the JSON Schema of pipeline files, for editors",
};

/** The command of that name, loaded; undefined when there is none. */
export async function loadCommand(name: string): Promise<Command | undefined> {
  if (!Object.hasOwn(COMMANDS, name)) return undefined;
  // A path that is known only now: Deno reads ahead what a literal path leads to, here all of temper.
  const module = await import(new URL(`../commands/${name}.ts`, import.meta.url).href);
  return module[name];
}
