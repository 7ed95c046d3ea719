import { join, resolve } from "node:path";
import { InterruptedError, TemperError } from "../lib/errors.ts";
import type { ServeOptions } from "../providers/ollama/finished_run.ts";
import type { Progress } from "../providers/provider.ts";
import { readPlan } from "../run/folder.ts";
import { Spec } from "../spec/schema/schema.ts";
import type { CommandContext, Option } from "./command.ts";
import { findRun } from "./run_ref.ts";

export const MODEL_OPTION: Option = {
  type: "string",
  value: "NAME",
  help: "Name of the model on the server, if not the pipeline's",
};
export const SERVER_OPTION: Option = {
  type: "string",
  value: "URL",
  help: "Address of the Ollama server, if not the pipeline's or Ollama's default",
};

/** The run that was named, and what working on its model needs. */
export async function servingWork(context: CommandContext) {
  const { fs, clock, cwd, env, values, positionals, terminal, onInterrupt } = context;
  const { id, dir: runDir } = await findRun(fs, resolve(cwd, values["runs"] as string), positionals[0]!);
  const plan = await readPlan(fs, runDir);
  if (!plan) throw new TemperError("corrupt-plan", `Cannot serve run "${id}": it has no plan`);
  const interrupt = new AbortController();
  onInterrupt(() => interrupt.abort(new InterruptedError("Stopped: doing it again is harmless")));
  const cacheDir = resolve(cwd, values["cache"] as string);
  const said = new Set<string>();
  const progress = ({ phase, message = phase }: Progress) => {
    if (said.has(message)) return;
    said.add(message);
    terminal.err(`${message}\n`);
  };
  const out = join(cacheDir, "served", id);
  const work = { fs, clock, env, cacheDir, runDir, out, signal: interrupt.signal, progress };
  return { work, spec: Spec.parse(plan.spec) };
}

export function serveOptions({ values }: CommandContext): ServeOptions {
  return {
    model: values["model"] as string | undefined,
    server: values["server"] as string | undefined,
    overwrite: values["overwrite"] === true,
    keepPrevious: values["keep-previous"] === true,
  };
}
