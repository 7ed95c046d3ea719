import { join } from "node:path";
import { UsageError } from "../../../lib/errors.ts";
import type { Fs } from "../../../lib/fs.ts";
import { filesBelow, folderDigest } from "../../../lib/folder.ts";
import type { ModelShape } from "../../../plan/memory.ts";
import { detectTemplate } from "../templates.ts";
import { type BaseEnv, type BaseInfo, digested, isSupported, SUPPORTED_HINT } from "./base.ts";
import { readWeights, type Weights } from "./safetensors.ts";

type Config = Readonly<Record<string, unknown>>;

/** A base in a Hugging Face folder: config.json, safetensors and a tokenizer. */
export async function folderBase(name: string, path: string, env: BaseEnv): Promise<BaseInfo> {
  const config = await readConfig(name, path, env.fs);
  const arch = typeof config["model_type"] === "string" ? config["model_type"] : "";
  if (!isSupported(arch)) {
    throw new UsageError("base-unsupported", `Cannot train base "${name}": its model_type is "${arch}"`, {
      hint: SUPPORTED_HINT,
    });
  }
  const weights = await readWeights(name, path, await weightFiles(name, path, env.fs), env.fs);
  const names = await filesBelow(path, env.fs);
  const files = await Promise.all(names.map((file) => digested(join(path, file), env)));
  const sha256 = folderDigest(files.map((file, i) => ({ name: names[i]!, sha256: file.sha256 })));
  const chat = await chatTemplate(path, env.fs);
  return {
    kind: "folder",
    name,
    identity: { kind: "folder", sha256 },
    job: { kind: "folder", path, sha256 },
    arch,
    shape: shapeOf(name, config, weights),
    context: count(config["max_position_embeddings"]) ?? null,
    quantization: weights.type,
    bytes: weights.bytes,
    template: chat === undefined ? null : detectTemplate(chat),
    files,
    warnings: [],
  };
}

async function readConfig(name: string, path: string, fs: Fs): Promise<Config> {
  const file = join(path, "config.json");
  if (!(await fs.stat(file))?.isFile) {
    throw new UsageError("base-unreadable", `Cannot use base "${name}": the folder holds no config.json`, {
      hint: "Name the folder that a Hugging Face model was saved or downloaded into",
    });
  }
  try {
    const value = JSON.parse(await fs.readText(file));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw new UsageError("base-unreadable", `Cannot use base "${name}": its config.json is not a JSON object`);
}

/** Pickles can run code when they are opened, so they are not opened. */
async function weightFiles(name: string, path: string, fs: Fs): Promise<string[]> {
  const names = await fs.list(path);
  const safe = names.filter((file) => file.endsWith(".safetensors") && !file.startsWith("adapter"));
  if (safe.length > 0) return safe;
  const pickles = names.filter((file) => /\.(bin|pth|pt|ckpt)$/.test(file));
  if (pickles.length === 0) {
    throw new UsageError(
      "base-unreadable",
      `Cannot use base "${name}": the folder holds no .safetensors file`,
    );
  }
  throw new UsageError(
    "base-pickle",
    `Cannot use base "${name}": its weights are pickles ("${pickles[0]}"), which can run code when opened`,
    { hint: "Save it again as safetensors, with save_pretrained(…, safe_serialization=True)" },
  );
}

function shapeOf(name: string, config: Config, weights: Weights): ModelShape {
  const need = (key: string): number => {
    const value = count(config[key]);
    if (value !== undefined) return value;
    throw new UsageError("base-unreadable", `Cannot use base "${name}": its config.json lacks "${key}"`);
  };
  const hidden = need("hidden_size");
  const heads = need("num_attention_heads");
  return {
    layers: need("num_hidden_layers"),
    hidden,
    feedForward: need("intermediate_size"),
    heads,
    kvHeads: count(config["num_key_value_heads"]) ?? heads,
    headDim: count(config["head_dim"]) ?? hidden / heads,
    vocab: need("vocab_size"),
    tied: !weights.names.has("lm_head.weight"),
    parameters: weights.parameters,
  };
}

/** Newer folders keep it in a file of its own. */
async function chatTemplate(path: string, fs: Fs): Promise<string | undefined> {
  const file = join(path, "chat_template.jinja");
  if ((await fs.stat(file))?.isFile) return await fs.readText(file);
  const config = join(path, "tokenizer_config.json");
  if (!(await fs.stat(config))?.isFile) return undefined;
  try {
    const value = JSON.parse(await fs.readText(config))?.chat_template;
    return typeof value === "string" ? value : undefined;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value > 0 ? value : undefined;
}
