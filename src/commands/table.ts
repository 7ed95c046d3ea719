import type { Command } from "./command.ts";

export interface CommandEntry {
  /** The command's own summary, repeated so that the list of commands loads none of them. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Every word after `deno task`, in the order of the help. A module is loaded when its command is called. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  check: {
    summary: "Check pipeline files: every problem at once, with its place",
    load: async () => (await import("./check.ts")).check,
  },
  plan: {
    summary: "Show what a run would do, why, and what it would take; touches nothing",
    load: async () => (await import("./plan.ts")).plan,
  },
  run: {
    summary: "Run a pipeline, or go on with its latest run",
    load: async () => (await import("./run.ts")).run,
  },
  explain: {
    summary: "Say why a step will run again: what changed since the latest run, old and new",
    load: async () => (await import("./explain.ts")).explain,
  },
  runs: {
    summary: "List the runs, newest first",
    load: async () => (await import("./runs.ts")).runs,
  },
  show: {
    summary: "Show one run: steps, scores, sample answers, artifacts, what to do next",
    load: async () => (await import("./show.ts")).show,
  },
  logs: {
    summary: "Print the log of a run; follows it while the run lives",
    load: async () => (await import("./logs.ts")).logs,
  },
  cancel: {
    summary: "Stop a run and its training for good",
    load: async () => (await import("./cancel.ts")).cancel,
  },
  doctor: {
    summary: "Say what is installed, reachable and missing, and what mends it",
    load: async () => (await import("./doctor.ts")).doctor,
  },
  schema: {
    summary: "Print the JSON Schema of pipeline files, for editors",
    load: async () => (await import("./schema.ts")).schema,
  },
};

/** The command of that name, loaded; undefined when there is none. */
export async function loadCommand(name: string): Promise<Command | undefined> {
  return Object.hasOwn(COMMANDS, name) ? await COMMANDS[name]!.load() : undefined;
}
