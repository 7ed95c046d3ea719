// deno-lint-ignore-file camelcase -- names of archs.json
import listing from "../../../../trainer/archs.json" with { type: "json" };
import type { ModelShape } from "../../../plan/memory.ts";

/**
 * What the trainer knows of architectures, from trainer/temper_trainer/archs/: one file there is all that a new one
 * takes. `python -m temper_trainer archs > archs.json` in trainer/ renews the listing; a test of the trainer compares.
 */
export interface Architecture {
  /** `model_type` of config.json. */
  readonly model_type: string;
  /** Its name in GGUF. */
  readonly gguf: string;
  /** Whether a GGUF file of this name is read as this architecture. */
  readonly reads_gguf: boolean;
  /** What the requirements come to, for lists. */
  readonly condition: string;
  readonly parts: readonly Part[];
  readonly requirements: readonly Requirement[];
  /** Metadata of GGUF that must have one of these values where it is there. */
  readonly neutral_metadata: Readonly<Record<string, readonly unknown[]>>;
}

interface NamedTensor {
  readonly gguf: string;
  readonly hf: string;
  /** Names of sizes: see sizesOf(). */
  readonly shape: readonly string[];
}

interface Part extends NamedTensor {
  /** Whether it has one; the key of config.json where that says so. */
  readonly bias: boolean | string;
}

interface Requirement {
  readonly key: string;
  readonly allowed: readonly unknown[];
  /** The reason why a base with another `{value}` cannot be exported. */
  readonly otherwise: string;
  /** What holds where config.json does not say. */
  readonly default: unknown;
}

interface Listing {
  readonly tensors: readonly NamedTensor[];
  readonly architectures: readonly Architecture[];
  readonly rope: {
    readonly factors: string;
    readonly gguf_scalings: readonly string[];
    readonly types: readonly string[];
    readonly inexact_keys: readonly string[];
  };
  readonly pretokenizers: readonly {
    readonly names: readonly string[];
    readonly parts: readonly (readonly [kind: string, option: string])[];
    readonly ignore_merges: boolean;
  }[];
  /** Every `model_type` that the trainer's transformers has a language model for. */
  readonly language_models: readonly string[];
}

export const LISTING = listing as unknown as Listing;
const BY_TYPE = new Map(LISTING.architectures.map((arch) => [arch.model_type, arch]));
const LANGUAGE_MODELS = new Set([...LISTING.language_models, ...BY_TYPE.keys()]);

/** The architecture of a `model_type`, where GGUF files are written for it. */
export function architectureOf(modelType: unknown): Architecture | undefined {
  return typeof modelType === "string" ? BY_TYPE.get(modelType) : undefined;
}

/** The architecture that a GGUF file of this name is read as. */
export function architectureOfGguf(name: string): Architecture | undefined {
  return LISTING.architectures.find((arch) => arch.reads_gguf && arch.gguf === name);
}

/** Whether a folder of this `model_type` can be loaded as a language model. */
export function isLanguageModel(modelType: string): boolean {
  return LANGUAGE_MODELS.has(modelType);
}

/** Why a GGUF file cannot say what this config.json does. */
export function unmetRequirement(
  arch: Architecture,
  config: Readonly<Record<string, unknown>>,
): string | undefined {
  for (const { key, allowed, otherwise, default: missing } of arch.requirements) {
    const value = config[key] === undefined ? missing : config[key];
    if (!allowed.includes(value)) return otherwise.replace("{value}", `${value}`);
  }
  return undefined;
}

/** The tensors of a whole model by their names of one kind, with their shapes. `biased` answers for keys of config.json. */
export function tensorsOf(
  arch: Architecture,
  kind: "gguf" | "hf",
  shape: Pick<ModelShape, "layers" | "tied"> & Partial<ModelShape>,
  biased: (key: string) => boolean,
): Map<string, readonly number[]> {
  const sizes = sizesOf(shape);
  const layer = kind === "gguf" ? "blk" : "model.layers";
  const found = new Map<string, readonly number[]>();
  for (const tensor of LISTING.tensors) {
    if (tensor.gguf !== "output.weight" || !shape.tied) found.set(tensor[kind], tensor.shape.map(sizes));
  }
  for (let at = 0; at < shape.layers; at++) {
    for (const part of arch.parts) {
      const [name, size] = [`${layer}.${at}.${part[kind]}`, part.shape.map(sizes)];
      found.set(`${name}.weight`, size);
      const { bias } = part;
      if (typeof bias === "string" ? biased(bias) : bias) found.set(`${name}.bias`, size.slice(0, 1));
    }
  }
  return found;
}

/** What the names of sizes in a part's shape stand for; 0 where it is not known. */
function sizesOf(shape: Partial<ModelShape>): (name: string) => number {
  const { hidden = 0, feedForward = 0, headDim = 0, heads = 0, kvHeads = 0, vocab = 0 } = shape;
  const sizes: Readonly<Record<string, number>> = {
    hidden,
    feed_forward: feedForward,
    head_dim: headDim,
    query: heads * headDim,
    key_value: kvHeads * headDim,
    vocab,
  };
  return (name) => sizes[name]!;
}

/** What to do where a GGUF base is of another architecture. */
export const SUPPORTED_HINT = `Supported: ${
  LISTING.architectures.filter((arch) => arch.reads_gguf).map(({ gguf }) => gguf).join(", ")
}`;

/** What to do where a folder can be trained, but not written as GGUF. */
export const EXPORT_HINT =
  `Set provider.export.gguf to false, and provider.export.merged to true to get a Hugging Face folder. ` +
  `GGUF files are written for ${writable()}`;

function writable(): string {
  const always = LISTING.architectures.filter(({ condition }) => condition === "");
  const sometimes = LISTING.architectures.filter(({ condition }) => condition !== "");
  return always.map(({ model_type }) => model_type).join(", ") +
    sometimes.map(({ model_type, condition }) => `, and for ${model_type} ${condition}`).join("");
}
