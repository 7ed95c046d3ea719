import { jsonText } from "../lib/json/json_file.ts";
import { dirname, relative, resolve } from "../deps/path.ts";
import { commandLine } from "../lib/text/invocation.ts";
import { EXIT, UsageError } from "../lib/errors.ts";
import { explainSystemError } from "../lib/system_error.ts";
import { isTaken } from "../lib/files/folder.ts";
import type { Fs } from "../lib/files/fs.ts";
import { counted } from "../lib/text/format.ts";
import { importConfig } from "../importers/import_config.ts";
import { listLines } from "../importers/pipeline_text.ts";
import { IMPORTERS } from "../importers/registry.ts";
import type { Command } from "../cli/command.ts";

const NAMES = IMPORTERS.map(({ name }) => name).join("|");

const command: Command = {
  name: "import",
  summary: "Convert another tool's configuration into a pipeline file; lists what could not be converted",
  usage: "FILE",
  positionals: [1, 1],
  options: {
    out: {
      type: "string",
      value: "FILE",
      help: "Write the pipeline there instead of to stdout; the file must not exist",
    },
    from: {
      type: "string",
      value: "TOOL",
      help: `The tool that the file belongs to, if temper does not recognise it: ${NAMES}`,
    },
  },
  details:
    "Reads YAML and JSON of Axolotl, LLaMA-Factory (with its dataset_info.json), Unsloth (its command line's and " +
    "Studio's; Python scripts are not read), TRL (trl sft), Soup, and jobs of OpenAI. Every field of the file is " +
    "carried over or listed with its line and what to do instead: on stderr, and at the end of the pipeline.\n\n" +
    "`temper import axolotl.yml --out pipelines/mine.yaml`",
  async run({ positionals, values, terminal, fs, cwd, invocation }) {
    const file = positionals[0]!;
    const out = values["out"] as string | undefined;
    const target = out === undefined ? undefined : resolve(cwd, out);
    if (target !== undefined) await refuseTaken(target, out!, fs);
    const from = values["from"] as string | undefined;
    const imported = await importConfig(file, fs, { cwd, out, from, invocation });
    const { tool, why, pipeline, carried, notCarried } = imported;
    if (target !== undefined) await write(target, pipeline, fs);
    const title = IMPORTERS.find(({ name }) => name === tool)!.title;
    if (values["json"]) {
      const report = { tool, why, pipeline, carried, "not_carried": notCarried };
      terminal.out(jsonText(report));
      return EXIT.ok;
    }
    if (target === undefined) terminal.out(pipeline);
    terminal.err(`${title}: ${why}\n${counted(carried.length, "field")} carried over\n`);
    terminal.err(listLines(notCarried, title, terminal.columns("err")).map((line) => `${line}\n`).join(""));
    if (target !== undefined) {
      const written = relative(cwd, target);
      terminal.err(`\nWrote ${written}. Next: ${commandLine(invocation, "check", written)}\n`);
    }
    return EXIT.ok;
  },
};

async function refuseTaken(target: string, out: string, fs: Fs): Promise<void> {
  const taken = await isTaken(target, fs).catch((error) => {
    throw explainSystemError(`Cannot write "${out}"`, error);
  });
  if (!taken) return;
  throw new UsageError("import-exists", `Cannot write "${out}": it already exists`, {
    hint: "Choose another name",
  });
}

async function write(target: string, pipeline: string, fs: Fs): Promise<void> {
  try {
    await fs.mkdirp(dirname(target));
    await fs.writeAtomic(target, pipeline);
  } catch (error) {
    throw explainSystemError(`Cannot write "${target}"`, error);
  }
}

export { command as import };
