import { COMMANDS } from "./registry.ts";

/** What `--help` alone prints. Loads no command. */
export function overview(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  return [
    "temper fine-tunes a language model from one YAML file.",
    "",
    "Usage: `temper COMMAND [arguments] [options]`",
    "",
    ...Object.entries(COMMANDS).map(([name, summary]) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "`temper COMMAND --help` describes a command. Start with: `temper run pipelines/lora.yaml`",
    "Exit codes: 0 ok, 1 failed, 2 invalid file or command line, 3 another process drives the run, 130 interrupted.",
    "",
  ].join("\n");
}
