import { join } from "../../../deps/path.ts";
import { UsageError } from "../../../lib/errors.ts";
import type { Fs } from "../../../lib/files/fs.ts";
import { architectureOf, EXPORT_HINT, isLanguageModel, LISTING, unmetRequirement } from "./architectures.ts";

/** config.json of a Hugging Face folder. */
export type Config = Readonly<Record<string, unknown>>;

export async function readConfig(name: string, path: string, fs: Fs): Promise<Config> {
  const file = join(path, "config.json");
  if (!(await fs.stat(file))?.isFile) {
    throw new UsageError("base-unreadable", `Cannot use base "${name}": the folder has no config.json`, {
      hint: "Give the folder of a saved or downloaded Hugging Face model",
    });
  }
  const config = parseObject(await fs.readText(file));
  if (config) return config;
  throw new UsageError("base-unreadable", `Cannot use base "${name}": its config.json is not a JSON object`);
}

/**
 * A JSON object that another program wrote; undefined where it is none. Nothing of it is checked here: what reads a
 * base looks at single members of files that may have any others.
 */
export function parseObject(text: string): Config | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

/** The architecture, where it can be trained and, with `gguf`, exported. */
export function supportedArch(name: string, config: Config, gguf: boolean): string {
  const arch = config["model_type"];
  if (typeof arch !== "string") throw unsupported(name, "its config.json has no model_type");
  refuseQuantized(name, config);
  if (!isLanguageModel(arch)) {
    throw unsupported(
      name,
      `transformers has no language model of type "${arch}"`,
      "temper never runs code that is shipped with a model",
    );
  }
  const found = gguf ? inexpressible(arch, config) : undefined;
  if (found === undefined) return arch;
  throw new UsageError("base-unsupported", `Cannot export base "${name}" as GGUF: ${found}`, {
    hint: EXPORT_HINT,
  });
}

function refuseQuantized(name: string, config: Config): void {
  const quantization = config["quantization_config"];
  if (!quantization) return;
  const method = (quantization as Config)["quant_method"];
  const how = typeof method === "string" ? ` (${method})` : "";
  throw unsupported(name, `its weights are quantised${how}`, "Use the original model, or a GGUF file of it");
}

/** What GGUF cannot express about a model. */
function inexpressible(modelType: string, config: Config): string | undefined {
  const arch = architectureOf(modelType);
  if (!arch) return `its model_type is "${modelType}"`;
  return unmetRequirement(arch, config) ?? inexpressibleRope(config);
}

function inexpressibleRope(config: Config): string | undefined {
  const rope = (config["rope_parameters"] ?? config["rope_scaling"] ?? {}) as Config;
  if ((config["partial_rotary_factor"] ?? rope["partial_rotary_factor"] ?? 1) !== 1) {
    return "it rotates only a part of each head";
  }
  const kind = rope["rope_type"] ?? rope["type"] ?? "default";
  const unusual = LISTING.rope.inexact_keys.filter((key) => rope[key]);
  const known = typeof kind === "string" && LISTING.rope.types.includes(kind);
  const plain = kind === "default" || kind === "llama3";
  if (known && (plain || (unusual.length === 0 && rope["truncate"] !== false))) return undefined;
  const how = unusual.length > 0 ? ` with ${unusual.join(", ")}` : "";
  return `its rotary scaling "${kind}"${how} cannot be expressed exactly in GGUF`;
}

function unsupported(name: string, found: string, hint?: string): UsageError {
  return new UsageError("base-unsupported", `Cannot train base "${name}": ${found}`, hint ? { hint } : {});
}

export function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value > 0 ? value : undefined;
}
