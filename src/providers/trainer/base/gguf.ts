import type { GGUFMetadata, GGUFTensorInfo } from "../../../deps/gguf.ts";
import { TemperError, UsageError } from "../../../lib/errors.ts";
import type { Fs } from "../../../lib/files/fs.ts";
import type { ModelShape } from "../../../plan/memory.ts";
import { detectTemplate } from "../serving/templates.ts";
import { type BaseEnv, type BaseInfo, digested } from "./base.ts";
import { tensorBytes } from "./ggml.ts";
import { checkGgufTensors, supportedGguf } from "./gguf_checks.ts";

interface Header {
  readonly metadata: GGUFMetadata;
  readonly tensorInfos: readonly GGUFTensorInfo[];
  readonly tensorDataOffset: bigint;
}

/** A base in one GGUF file: architecture, shape and completeness from its header, identity from its bytes. */
export async function ggufBase(name: string, path: string, size: number, env: BaseEnv): Promise<BaseInfo> {
  const { header, typeName } = await readHeader(name, path, size, env.fs);
  refuseTruncated(name, header, size);
  const tensors = new Set(header.tensorInfos.map((info) => info.name));
  const arch = supportedGguf(name, { metadata: { ...header.metadata }, tensors });
  const shape = shapeOf(name, arch.gguf, header);
  checkGgufTensors(name, arch, shape.layers, tensors);
  const file = await digested(path, env);
  const { sha256 } = file;
  const chat = text(header, "tokenizer.chat_template");
  return {
    kind: "gguf",
    name,
    identity: { kind: "gguf", sha256 },
    job: { kind: "gguf", path, sha256 },
    arch: arch.model_type,
    shape,
    context: number(header, `${arch.gguf}.context_length`) ?? null,
    quantization: typeName(dominantType(header.tensorInfos)),
    bytes: size,
    template: chat === undefined ? null : detectTemplate(chat),
    hasTemplate: chat !== undefined && chat !== "",
    files: [file],
    warnings: [],
  };
}

async function readHeader(name: string, path: string, size: number, fs: Fs) {
  const { gguf, GGMLQuantizationType } = await import("../../../deps/gguf.ts");
  try {
    const header: Header = await gguf("https://file/", { fetch: rangesOf(path, size, fs) });
    return { header, typeName: (type: number) => GGMLQuantizationType[type] ?? `type ${type}` };
  } catch (cause) {
    if (cause instanceof CutOff) throw cutShort(name, `its header extends past its ${size} bytes`);
    // A file that cannot be read at all is not a bad GGUF file.
    if (cause instanceof Deno.errors.PermissionDenied) {
      throw new TemperError("base-unreadable", `Cannot read base "${name}": permission denied`, { cause });
    }
    throw new UsageError("base-unreadable", `Cannot read base "${name}" as GGUF: ${words(cause)}`, { cause });
  }
}

class CutOff extends Error {}

/** The parser asks for ranges as from a web server; they come from the file. */
function rangesOf(path: string, size: number, fs: Fs): typeof fetch {
  return async (_url, init) => {
    const range = new Headers(init?.headers).get("range")?.match(/^bytes=(\d+)-(\d+)$/);
    if (!range) throw new TypeError("Cannot serve a request without a range");
    const start = Number(range[1]);
    const end = Math.min(Number(range[2]) + 1, size);
    if (start >= size) throw new CutOff();
    const body = await new Response(fs.readStream(path, start, end)).arrayBuffer();
    return new Response(body, {
      status: 206,
      headers: { "content-range": `bytes ${start}-${end - 1}/${size}` },
    });
  };
}

function refuseTruncated(name: string, header: Header, size: number): void {
  const start = Number(header.tensorDataOffset);
  if (start > size) throw cutShort(name, `its header extends past its ${size} bytes`);
  for (const tensor of header.tensorInfos) {
    const bytes = tensorBytes(tensor.dtype, tensor.shape.map(Number));
    // A type without a known size cannot be checked; the trainer refuses it when it reads the weights.
    const end = start + Number(tensor.offset) + (bytes ?? 0);
    if (end > size) throw cutShort(name, `tensor "${tensor.name}" ends at byte ${end} of ${size}`);
  }
}

function cutShort(name: string, found: string): UsageError {
  return new UsageError("base-truncated", `Cannot use base "${name}": the file is truncated, ${found}`, {
    hint: "Download or copy it again",
  });
}

function shapeOf(name: string, arch: string, header: Header): ModelShape {
  const need = (key: string): number => {
    const value = number(header, `${arch}.${key}`);
    if (value !== undefined) return value;
    throw new UsageError("base-unreadable", `Cannot use base "${name}": its header lacks "${arch}.${key}"`);
  };
  const hidden = need("embedding_length");
  const heads = need("attention.head_count");
  const tensor = (wanted: string) => header.tensorInfos.find((info) => info.name === wanted);
  return {
    layers: need("block_count"),
    hidden,
    feedForward: need("feed_forward_length"),
    heads,
    kvHeads: number(header, `${arch}.attention.head_count_kv`) ?? heads,
    headDim: number(header, `${arch}.attention.key_length`) ?? hidden / heads,
    vocab: Number(tensor("token_embd.weight")?.shape[1] ?? need("vocab_size")),
    tied: tensor("output.weight") === undefined,
    parameters: header.tensorInfos.reduce((sum, info) => sum + elements(info), 0),
  };
}

function elements(info: GGUFTensorInfo): number {
  return info.shape.reduce((product, n) => product * Number(n), 1);
}

function dominantType(tensors: readonly GGUFTensorInfo[]): number {
  const counts = new Map<number, number>();
  for (const info of tensors) counts.set(info.dtype, (counts.get(info.dtype) ?? 0) + elements(info));
  return [...counts].reduce((best, next) => next[1] > best[1] ? next : best, [-1, 0])[0];
}

function text(header: Header, key: string): string | undefined {
  const value = (header.metadata as Record<string, unknown>)[key];
  return typeof value === "string" ? value : undefined;
}

function number(header: Header, key: string): number | undefined {
  const value = (header.metadata as Record<string, unknown>)[key];
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : undefined;
}

function words(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, "");
}
