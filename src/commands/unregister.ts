import { jsonText } from "../lib/json/json_file.ts";
import { EXIT } from "../lib/errors.ts";
import { unregister as unregisterRun } from "../library/unregister.ts";
import { CACHE_OPTION, type Command, RUNS_OPTION } from "../cli/command.ts";
import { givenRun } from "../cli/run_view.ts";
import { MODEL_OPTION, SERVER_OPTION, servingOptions } from "../cli/serving_options.ts";

export const unregister: Command = {
  name: "unregister",
  summary: "Remove a run's model from Ollama; the run keeps its files",
  usage: "RUN",
  positionals: [1, 1],
  options: { runs: RUNS_OPTION, cache: CACHE_OPTION, model: MODEL_OPTION, server: SERVER_OPTION },
  details:
    "RUN is an id, the start of one, a pipeline's name for its latest run, a path, or last. A model of that name from another run is left alone.\n\n" +
    "`temper unregister last`",
  async run(context) {
    const { values, terminal } = context;
    const { dir } = await givenRun(context);
    const done = await unregisterRun(dir, servingOptions(context));
    const { model, server, removed } = done;
    const text = removed ? `${model} was removed from ${server}` : `${server} has no model ${model}`;
    terminal.out(values["json"] ? jsonText(done) : `${text}\n`);
    return EXIT.ok;
  },
};
