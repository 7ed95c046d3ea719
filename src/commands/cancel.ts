import { jsonText } from "../lib/json/json_file.ts";
import { EXIT } from "../lib/errors.ts";
import { cancel as cancelRun } from "../library/cancel.ts";
import { CACHE_OPTION, type Command, RUNS_OPTION, TAKEOVER_OPTION } from "../cli/command.ts";
import { libraryOptions } from "../cli/library_options.ts";
import { givenRun } from "../cli/run_view.ts";
import { runJson } from "../view/run_json.ts";

export const cancel: Command = {
  name: "cancel",
  summary: "Cancel a run and its training for good",
  usage: "RUN",
  positionals: [1, 1],
  options: { runs: RUNS_OPTION, cache: CACHE_OPTION, takeover: TAKEOVER_OPTION },
  details:
    "RUN is an id, the start of one, a pipeline's name for its latest run, a path, or last. Works whether or not a process is driving the run.\n\n" +
    "`temper cancel last`",
  async run(context) {
    const { values, terminal, onInterrupt } = context;
    const { dir } = await givenRun(context);
    const interrupt = new AbortController();
    onInterrupt(() => interrupt.abort());
    const state = await cancelRun(dir, {
      ...libraryOptions(context),
      signal: interrupt.signal,
      onAsked: ({ id }) => terminal.err(`Asked the process driving run "${id}" to cancel it\n`),
    });
    if (values["json"]) terminal.out(jsonText(runJson(state, state.state)));
    else terminal.out(`Run "${state.id}" is cancelled\n`);
    return EXIT.ok;
  },
};
