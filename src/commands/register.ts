import { jsonText } from "../lib/json/json_file.ts";
import { EXIT } from "../lib/errors.ts";
import { counted, share } from "../lib/text/format.ts";
import { register as registerRun } from "../library/register.ts";
import type { Proof } from "../providers/ollama/proof.ts";
import { CACHE_OPTION, type Command, RUNS_OPTION } from "../cli/command.ts";
import { givenRun } from "../cli/run_view.ts";
import { MODEL_OPTION, SERVER_OPTION, servingOptions } from "../cli/serving_options.ts";

export const register: Command = {
  name: "register",
  summary: "Serve a finished run's model with Ollama and measure the served answers",
  usage: "RUN",
  positionals: [1, 1],
  options: {
    runs: RUNS_OPTION,
    cache: CACHE_OPTION,
    model: MODEL_OPTION,
    server: SERVER_OPTION,
    overwrite: { type: "boolean", help: "Replace an existing model of this name that temper did not make" },
    "keep-previous": { type: "boolean", help: "Keep the model that has this name now, as NAME-previous" },
  },
  details:
    "RUN is an id, the start of one, a pipeline's name for its latest run, a path, or last. Repeating it is safe. Then the served model is asked every " +
    "eval row.\n\n`temper register last`\n`temper unregister last`",
  async run(context) {
    const { values, terminal } = context;
    const { dir } = await givenRun(context);
    const registered = await registerRun(dir, servingOptions(context));
    const { model, server, command, previous, served, answers } = registered;
    if (values["json"]) {
      terminal.out(jsonText(registered));
      return EXIT.ok;
    }
    const lines = [
      `${model} is registered at ${server}`,
      ...previous === undefined ? [] : [`The model previously under this name is now ${previous}`],
      ...served ? [provenText(served), `All answers  ${answers}`] : [],
      `Talk to it   ${command}`,
    ];
    terminal.out(lines.map((line) => `${line}\n`).join(""));
    return EXIT.ok;
  },
};

function provenText({ rows, metric, agreement, prompts_equal: prompts }: Proof): string {
  const facts = [
    ...metric === null ? [] : [`score ${share(metric)}`],
    ...agreement === null ? [] : [`${share(agreement)} of the answers equal the trainer's`],
    `prompts equal those of the training in ${prompts} of ${rows}`,
  ];
  return `Asked ${counted(rows, "eval row")}: ${facts.join(", ")}`;
}
