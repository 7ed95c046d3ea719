import { resolve } from "../deps/path.ts";
import { UsageError } from "../lib/errors.ts";
import type { Asked } from "../providers/provider.ts";
import type { CommandContext } from "./command.ts";

/** What the command line says beside the pipeline file. */
export function askedOf({ cwd, values }: Pick<CommandContext, "cwd" | "values">): Asked {
  const { adopt, prices } = values;
  const createAnyway = values["create-anyway"] === true;
  if (typeof adopt === "string" && createAnyway) {
    throw new UsageError(
      "bad-option",
      "Cannot both take a job and start one: --adopt and --create-anyway given",
    );
  }
  return {
    ...typeof adopt === "string" && { adopt },
    ...createAnyway && { createAnyway },
    ...typeof prices === "string" && { prices: resolve(cwd, prices) },
  };
}
