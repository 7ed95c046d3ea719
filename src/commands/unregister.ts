import { EXIT } from "../lib/errors.ts";
import { CACHE_OPTION, type Command, RUNS_OPTION } from "../cli/command.ts";
import { MODEL_OPTION, serveOptions, SERVER_OPTION, servingWork } from "../cli/serving_work.ts";

export const unregister: Command = {
  name: "unregister",
  summary: "Remove a run's model from Ollama; the run keeps its files",
  usage: "RUN",
  positionals: [1, 1],
  options: { runs: RUNS_OPTION, cache: CACHE_OPTION, model: MODEL_OPTION, server: SERVER_OPTION },
  details:
    "RUN is an id, the start of one, or last. A model of that name from another run is left alone.\n\n" +
    "deno task unregister last",
  async run(context) {
    const { values, terminal } = context;
    const { unregisterRun } = await import("../providers/ollama/finished_run.ts");
    const { work, spec } = await servingWork(context);
    const done = await unregisterRun(work, spec, serveOptions(context));
    const { model, server, removed } = done;
    const text = removed ? `${model} is no longer served at ${server}` : `${server} has no model ${model}`;
    terminal.out(values["json"] ? `${JSON.stringify(done, null, 2)}\n` : `${text}\n`);
    return EXIT.ok;
  },
};
