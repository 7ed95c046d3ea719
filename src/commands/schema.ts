import { dirname, resolve } from "../deps/path.ts";
import { EXIT } from "../lib/errors.ts";
import { explainSystemError } from "../lib/system_error.ts";
import { schemaText } from "../spec/schema/json_schema.ts";
import type { Command } from "../cli/command.ts";

export const schema: Command = {
  name: "schema",
  summary: "Print the JSON Schema of pipeline files, for editors",
  usage: "",
  positionals: [0, 0],
  options: { write: { type: "boolean", help: "Write it to pipelines/schema.json instead" } },
  details: "Editors find it through the first line of a pipeline file:\n\n" +
    "# yaml-language-server: $schema=./schema.json",
  async run({ values, terminal, fs, cwd }) {
    if (!values["write"]) {
      terminal.out(schemaText());
      return EXIT.ok;
    }
    const path = resolve(cwd, "pipelines", "schema.json");
    try {
      await fs.mkdirp(dirname(path));
      await fs.writeAtomic(path, schemaText());
    } catch (error) {
      throw explainSystemError(`Cannot write "${path}"`, error);
    }
    if (values["json"]) terminal.out(`${JSON.stringify({ path })}\n`);
    else terminal.out(`Wrote ${path}\n`);
    return EXIT.ok;
  },
};
