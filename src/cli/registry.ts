import type { Command } from "./command.ts";

/**
 * Every command, in the order of the help, with the command's own summary: it is repeated here so
 * that the list loads no command. A command lives in the file of its name and is exported under it.
 */
export const COMMANDS: Readonly<Record<string, string>> = {
  check: "Check pipeline files and list every problem with its position",
  plan: "Show what a run would do and why, with tokens, memory and time; changes nothing",
  run: "Run a pipeline, or resume its latest run",
  resume: "Go on with a run as it was made, without its pipeline file",
  compare: "Run every combination of a matrix and compare cost and quality",
  explain: "Show why steps will run again: what changed since the latest run, before and after",
  advise: "Recommend a method for this data, model and machine, with figures",
  runs: "List the runs, newest first",
  show: "Show one run: steps, scores, sample answers, artifacts, next commands",
  logs: "Print the log of a run, and follow it while the run is active",
  tag: "Tag a run, or write a note about it; without tags, print them",
  cancel: "Cancel a run and its training for good",
  register: "Serve a finished run's model with Ollama and measure the served answers",
  unregister: "Remove a run's model from Ollama; the run keeps its files",
  serve: "Serve a read-only status page of the runs",
  prune: "Remove finished runs and unused outputs; only shows them unless --yes is given",
  doctor: "Report what is installed, reachable or missing, and how to fix it",
  init: "Create a project: tasks, a pipeline, sample data, CI",
  import: "Convert another tool's configuration into a pipeline file; lists what could not be converted",
  schema: "Print the JSON Schema of pipeline files, for editors",
};

/** The command of that name, loaded; undefined when there is none. */
export async function loadCommand(name: string): Promise<Command | undefined> {
  if (!Object.hasOwn(COMMANDS, name)) return undefined;
  // A path that is known only now: Deno reads ahead what a literal path leads to, here all of temper.
  const module = await import(new URL(`../commands/${name}.ts`, import.meta.url).href);
  return module[name];
}
