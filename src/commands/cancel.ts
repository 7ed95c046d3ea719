import { hostname } from "node:os";
import { resolve } from "node:path";
import { EXIT, InterruptedError, TemperError } from "../lib/errors.ts";
import { providerFor } from "../providers/registry.ts";
import { cancelRun } from "../run/cancel.ts";
import { CACHE_OPTION, type Command, RUNS_OPTION, TAKEOVER_OPTION } from "../cli/command.ts";
import { envOf } from "../cli/load_options.ts";
import { findRun } from "../cli/run_ref.ts";
import { runJson } from "../view/run_json.ts";

export const cancel: Command = {
  name: "cancel",
  summary: "Cancel a run and its training for good",
  usage: "RUN",
  positionals: [1, 1],
  options: { runs: RUNS_OPTION, cache: CACHE_OPTION, takeover: TAKEOVER_OPTION },
  details: "RUN is an id, the start of one, or last. Works whether or not a process is driving the run.\n\n" +
    "deno task cancel last",
  async run(context) {
    const { fs, cwd, values, positionals, terminal, onInterrupt } = context;
    const { id, dir } = await findRun(fs, resolve(cwd, values["runs"] as string), positionals[0]!);
    const env = envOf(context);
    const interrupt = new AbortController();
    onInterrupt(() =>
      interrupt.abort(new InterruptedError(`Stopped waiting for run "${id}": it may still be cancelled`))
    );
    const state = await cancelRun({
      env,
      dir,
      host: hostname(),
      takeover: values["takeover"] === true,
      signal: interrupt.signal,
      cancelJob: async (job, runDir) => (await providerFor(job.provider)).cancel(job, runDir, env),
      onAsked: () => terminal.err(`Asked the process that drives run "${id}" to cancel it\n`),
    });
    if (state.state !== "cancelled") {
      throw new TemperError("not-running", `Cannot cancel run "${id}": it is ${state.state}`);
    }
    if (values["json"]) terminal.out(`${JSON.stringify(runJson(state), null, 2)}\n`);
    else terminal.out(`Run "${id}" is cancelled\n`);
    return EXIT.ok;
  },
};
