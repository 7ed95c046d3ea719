import { UsageError } from "../../../lib/errors.ts";
import type { ModelShape } from "../../../plan/memory.ts";
import { architectureOf, tensorsOf } from "./architectures.ts";
import type { Config } from "./config.ts";
import { BUFFER } from "./safetensors.ts";

export const EMBEDDING = "model.embed_tokens.weight";
export const HEAD = "lm_head.weight";

type Found = ReadonlyMap<string, { readonly shape: readonly number[] }>;

const NAMED = 3;

/** Says what a folder of a known architecture lacks, and returns what is to be said of tensors that it has beside. */
export function checkTensors(base: string, shape: ModelShape, config: Config, found: Found): string[] {
  const wanted = tensorsOf(architectureOf(config["model_type"])!, "hf", shape, (key) => Boolean(config[key]));
  const missing = [...wanted.keys()].filter((name) => !found.has(name));
  const refuse = (what: string) =>
    new UsageError("base-unreadable", `Cannot use base "${base}": ${what}`, {
      hint: "Compare its files and config.json with those of the original model",
    });
  if (missing.length > 0) {
    const more = missing.length === 1 ? "" : ` (${missing.length} of ${wanted.size})`;
    const other = missing.length === wanted.size ? `; it has others, such as "${[...found.keys()][0]}"` : "";
    throw refuse(`tensor "${missing[0]}" is missing${more}${other}`);
  }
  for (const [name, size] of wanted) {
    const own = found.get(name)!.shape;
    if (own.join() === size.join()) continue;
    throw refuse(
      `tensor "${name}" has the shape ${own.join(" × ")}, config.json requires ${size.join(" × ")}`,
    );
  }
  return unknown(base, [...found.keys()].filter((name) => !wanted.has(name) && name !== HEAD));
}

/** transformers ignores them silently. */
function unknown(base: string, names: readonly string[]): string[] {
  const others = names.filter((name) => !BUFFER.test(name));
  if (others.length === 0) return [];
  const listed = others.slice(0, NAMED).map((name) => `"${name}"`).join(", ");
  const more = others.length > NAMED ? ", …" : "";
  const verb = others.length === 1 ? "tensor is" : "tensors are";
  return [
    `${others.length} ${verb} not part of the model that config.json of "${base}" describes, ` +
    `and left out: ${listed}${more}`,
  ];
}
