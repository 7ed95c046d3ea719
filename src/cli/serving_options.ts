import { InterruptedError } from "../lib/errors.ts";
import type { RegisterOptions } from "../library/register.ts";
import type { CommandContext, Option } from "./command.ts";
import { libraryOptions } from "./library_options.ts";

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

/** What the library is told by a command that works on what a server serves. */
export function servingOptions(context: CommandContext): RegisterOptions {
  const { values, terminal, onInterrupt } = context;
  const { model, server } = values;
  const interrupt = new AbortController();
  onInterrupt(() => interrupt.abort(new InterruptedError("Stopped: the command can safely be repeated")));
  return {
    ...libraryOptions(context),
    ...typeof model === "string" && { model },
    ...typeof server === "string" && { server },
    overwrite: values["overwrite"] === true,
    keepPrevious: values["keep-previous"] === true,
    signal: interrupt.signal,
    onProgress: (message) => terminal.err(`${message}\n`),
  };
}
