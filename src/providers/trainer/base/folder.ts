import { join } from "node:path";
import { UsageError } from "../../../lib/errors.ts";
import type { Fs } from "../../../lib/files/fs.ts";
import { filesBelow, folderDigest } from "../../../lib/files/folder.ts";
import type { ModelShape } from "../../../plan/memory.ts";
import { detectTemplate } from "../serving/templates.ts";
import { architectureOf } from "./architectures.ts";
import { type BaseEnv, type BaseInfo, digested } from "./base.ts";
import { type Config, count, parseObject, readConfig, supportedArch } from "./config.ts";
import { elements, equalTensors, readWeights, type Weights } from "./safetensors.ts";
import { checkTensors, EMBEDDING, HEAD } from "./tensors.ts";
import { checkTokenizer } from "./tokenizer.ts";
import { hasWeights, weightFiles } from "./weight_files.ts";

/** What the headers of a folder say. */
export type FolderFacts = Pick<
  BaseInfo,
  "arch" | "shape" | "context" | "quantization" | "bytes" | "template" | "warnings"
>;

/** A base in a Hugging Face folder: config.json, safetensors and a tokenizer. `gguf`: it is to be exported as GGUF. */
export async function folderBase(
  name: string,
  path: string,
  env: BaseEnv,
  gguf: boolean,
): Promise<BaseInfo> {
  const facts = await readFolder(name, path, env.fs, gguf);
  const names = await filesBelow(path, env.fs);
  const files = await Promise.all(names.map((file) => digested(join(path, file), env)));
  const sha256 = folderDigest(files.map((file, i) => ({ name: names[i]!, sha256: file.sha256 })));
  return {
    kind: "folder",
    name,
    identity: { kind: "folder", sha256 },
    job: { kind: "folder", path, sha256 },
    ...facts,
    files,
  };
}

async function readFolder(name: string, path: string, fs: Fs, gguf: boolean): Promise<FolderFacts> {
  const config = await readConfig(name, path, fs);
  const arch = supportedArch(name, config, gguf);
  await checkTokenizer(name, path, gguf, fs);
  const files = await weightFiles(name, path, fs);
  const weights = await readWeights(name, path, files.names, fs);
  const shape = await shapeOf(name, path, config, weights, fs);
  const unknown = shape && architectureOf(arch) ? checkTensors(name, shape, config, weights.tensors) : [];
  const chat = await chatTemplate(path, fs);
  return {
    arch,
    shape,
    context: count(config["max_position_embeddings"]) ?? null,
    quantization: weights.type,
    bytes: weights.bytes,
    template: chat === undefined ? null : detectTemplate(chat),
    warnings: [...files.warnings, ...unknown],
  };
}

/** The same of a folder in the hub's cache, whose weights may not be there yet: `null` then. */
export async function readHubFolder(
  name: string,
  path: string,
  fs: Fs,
  gguf: boolean,
): Promise<FolderFacts | null> {
  if (await hasWeights(path, fs)) return await readFolder(name, path, fs, gguf);
  supportedArch(name, await readConfig(name, path, fs), gguf);
  return null;
}

/** Names that older models have for the same figure. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  hidden: ["hidden_size", "n_embd", "d_model"],
  layers: ["num_hidden_layers", "n_layer", "n_layers", "num_layers"],
  heads: ["num_attention_heads", "n_head", "n_heads"],
  feedForward: ["intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size"],
  vocab: ["vocab_size"],
};

/** `null` where config.json does not say it in any known way, which only a supported architecture must do. */
async function shapeOf(
  name: string,
  path: string,
  config: Config,
  weights: Weights,
  fs: Fs,
): Promise<ModelShape | null> {
  const text = (config["text_config"] ?? config) as Config;
  const figure = (key: string) => NAMES[key]!.map((other) => count(text[other])).find((found) => found);
  const [hidden, layers, heads, feedForward, vocab] = Object.keys(NAMES).map(figure);
  if (!hidden || !layers || !heads || !vocab || (architectureOf(config["model_type"]) && !feedForward)) {
    if (!architectureOf(config["model_type"])) return null;
    const key = Object.keys(NAMES).find((key) => figure(key) === undefined)!;
    const lacks = `its config.json lacks "${NAMES[key]![0]}"`;
    throw new UsageError("base-unreadable", `Cannot use base "${name}": ${lacks}`);
  }
  const head = await headOf(path, config, weights, fs);
  const all = [...weights.tensors].filter(([tensor]) => head !== "copy" || tensor !== HEAD);
  return {
    layers,
    hidden,
    feedForward: feedForward ?? 4 * hidden,
    heads,
    kvHeads: count(text["num_key_value_heads"]) ?? heads,
    headDim: count(text["head_dim"]) ?? Math.floor(hidden / heads),
    vocab,
    tied: head !== "own",
    parameters: all.reduce((sum, [, tensor]) => sum + elements(tensor), 0),
  };
}

/**
 * Whether the head is the embedding. The weights say so: a head with values of its own is kept, whatever config.json
 * says (bases/tied.py decides in the same way).
 */
async function headOf(
  path: string,
  config: Config,
  { tensors }: Weights,
  fs: Fs,
): Promise<"own" | "none" | "copy"> {
  const head = tensors.get(HEAD);
  const embedding = tensors.get(EMBEDDING);
  const ties = config["tie_word_embeddings"] ?? !architectureOf(config["model_type"]);
  if (!head) return ties ? "none" : "own";
  if (!ties || !embedding) return "own";
  return await equalTensors(path, head, embedding, fs) ? "copy" : "own";
}

/** Newer folders keep it in a file of its own. */
async function chatTemplate(path: string, fs: Fs): Promise<string | undefined> {
  const file = join(path, "chat_template.jinja");
  if ((await fs.stat(file))?.isFile) return await fs.readText(file);
  const config = join(path, "tokenizer_config.json");
  if (!(await fs.stat(config))?.isFile) return undefined;
  const template = parseObject(await fs.readText(config))?.["chat_template"];
  return typeof template === "string" ? template : undefined;
}
