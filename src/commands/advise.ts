import { jsonText } from "../lib/json/json_file.ts";
import { EXIT, UsageError } from "../lib/errors.ts";
import { parseCount, parseDevices } from "../lib/text/quantity.ts";
import { advise as adviseOn } from "../library/advise.ts";
import type { Described } from "../providers/trainer/estimate/advise_case.ts";
import type { DeviceKind } from "../providers/trainer/environment/machine.ts";
import { createPalette } from "../ui/palette.ts";
import { adviceText, choiceYaml } from "../cli/advise_text.ts";
import {
  CACHE_OPTION,
  CELL_OPTION,
  type Command,
  type CommandContext,
  MEMORY_OPTION,
  SET_OPTION,
} from "../cli/command.ts";
import { libraryOptions } from "../cli/library_options.ts";

const DEVICES: readonly DeviceKind[] = ["cpu", "cuda", "mps"];

export const advise: Command = {
  name: "advise",
  summary: "Recommend a method for this data, model and machine, with figures",
  usage: "[FILE]",
  positionals: [0, 1],
  options: {
    cache: CACHE_OPTION,
    set: SET_OPTION,
    cell: CELL_OPTION,
    "base-params": {
      type: "string",
      value: "N",
      help: "Without a file: parameters of the base, such as 8e9 or 8B",
    },
    memory: MEMORY_OPTION,
    rows: { type: "string", value: "N", help: "Training rows" },
    "tokens-per-row": { type: "string", value: "N", default: "256", help: "Mean length of a row" },
    device: {
      type: "string",
      value: "KIND",
      help:
        "Without a file: cpu, cuda or mps (default: cuda). Of the memory of an mps machine, what Metal allows counts",
    },
  },
  details:
    "With a file, considers its data, base and machine; without one, the case given by options. Uses the same " +
    "estimates as plan; starts and writes nothing.\n\n`temper advise pipelines/lora.yaml`\n" +
    "`temper advise --base-params 8e9 --memory 24GiB --rows 5000`\n" +
    "`temper advise --base-params 70e9 --memory 8x80GB --rows 5000`",
  async run(context) {
    const { terminal, values } = context;
    const file = context.positionals[0];
    const about = file === undefined ? described(context) : fileAlone(file, context);
    const { case: asked, advice } = await adviseOn(about, libraryOptions(context));
    if (values["json"]) {
      const yaml = advice.choice && choiceYaml(advice.choice, asked);
      const { choice, ...rest } = advice;
      const json = { case: asked, ...rest, choice: choice?.kind ?? null, yaml: yaml ?? null };
      terminal.out(jsonText(json));
    } else {
      terminal.out(adviceText(asked, advice, createPalette(terminal.color), terminal.columns("out")));
    }
    return advice.choice ? EXIT.ok : EXIT.failed;
  },
};

/** A file says itself what the other options would. */
function fileAlone(file: string, { values }: CommandContext): string {
  const name = ["base-params", "rows", "device"].find((name) => values[name] !== undefined);
  if (name === undefined) return file;
  throw new UsageError("bad-option", `Cannot use --${name} together with a file: the file determines it`);
}

function described({ values }: CommandContext): Described {
  const given = <T>(name: string, read: (text: string) => T | undefined, example: string): T => {
    const text = values[name] as string | undefined;
    const value = text === undefined ? undefined : read(text);
    if (value !== undefined) return value;
    const found = text === undefined ? "it is missing, and no file was given" : `found "${text}"`;
    throw new UsageError("bad-option", `Cannot read --${name}: ${found}`, {
      hint: `For example --${name} ${example}; or give a pipeline file`,
    });
  };
  const kind = values["device"] ?? "cuda";
  const device = DEVICES.find((known) => known === kind);
  if (!device) {
    throw new UsageError("bad-option", `Cannot read --device: found "${kind}"`, {
      hint: `One of ${DEVICES.join(", ")}`,
    });
  }
  return {
    parameters: given("base-params", parseCount, "8e9"),
    memory: given("memory", parseDevices, "24GiB or 8x80GB"),
    rows: given("rows", parseCount, "5000"),
    tokensPerRow: given("tokens-per-row", parseCount, "256"),
    device,
  };
}
