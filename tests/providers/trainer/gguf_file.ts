// deno-lint-ignore-file camelcase -- names of the format
const STRING = 8;
const UINT32 = 4;
const F32 = 0;
const ALIGNMENT = 32;

type Tensor = readonly [name: string, shape: readonly number[]];

export interface GgufOptions {
  readonly arch?: string;
  /** Rows of the embedding, 256 bytes each. */
  readonly vocab?: number;
  /** Numbers below the architecture that are others. */
  readonly changed?: Readonly<Record<string, number>>;
  /** More metadata. */
  readonly texts?: Readonly<Record<string, string>>;
  readonly counts?: Readonly<Record<string, number>>;
  /** Tensors that are missing. */
  readonly without?: readonly string[];
}

/** Sizes of the model as it is written. */
const HIDDEN = 64;
const FEED_FORWARD = 128;
const KV = 32;
const LAYERS = 2;

/** A small, complete GGUF file (version 3) with F32 tensors of zeros. */
export function writeGguf(options: GgufOptions = {}): Uint8Array {
  const { header, bytes } = ggufHeader(options);
  return concat([header, new Uint8Array(bytes - header.length)]);
}

/** The file's beginning, and how long the whole is: what follows are zeros. */
export function ggufHeader(
  { arch = "llama", vocab = 10, texts = {}, changed = {}, counts = {}, without = [] }: GgufOptions = {},
): { readonly header: Uint8Array; readonly bytes: number } {
  const tensors = tensorsOf(arch, vocab).filter(([name]) => !without.includes(name));
  const tokenizer = {
    "tokenizer.chat_template": "<|im_start|>{{ messages }}",
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "qwen2",
  };
  const strings = { "general.architecture": arch, ...tokenizer, ...texts };
  const numbers = {
    block_count: LAYERS,
    context_length: 512,
    embedding_length: HIDDEN,
    feed_forward_length: FEED_FORWARD,
    "attention.head_count": 4,
    "attention.head_count_kv": 2,
    ...changed,
  };
  const keys = Object.keys(strings).length + Object.keys(numbers).length + Object.keys(counts).length;
  const parts = [text("GGUF", false), u32(3), u64(tensors.length), u64(keys)];
  for (const [name, value] of Object.entries(strings)) parts.push(text(name), u32(STRING), text(value));
  for (const [name, value] of Object.entries(numbers)) {
    parts.push(text(`${arch}.${name}`), u32(UINT32), u32(value));
  }
  for (const [name, value] of Object.entries(counts)) parts.push(text(name), u32(UINT32), u32(value));
  let offset = 0;
  for (const [name, shape] of tensors) {
    parts.push(text(name), u32(shape.length), ...shape.map(u64), u32(F32), u64(offset));
    offset += aligned(4 * shape.reduce((product, n) => product * n, 1));
  }
  const header = concat(parts);
  return { header, bytes: aligned(header.length) + offset };
}

/** Dimensions as the format lists them, fastest first. */
function tensorsOf(arch: string, vocab: number): Tensor[] {
  const layer = (at: number): Tensor[] => {
    const parts: Tensor[] = [
      ["attn_norm.weight", [HIDDEN]],
      ["attn_q.weight", [HIDDEN, HIDDEN]],
      ["attn_k.weight", [HIDDEN, KV]],
      ["attn_v.weight", [HIDDEN, KV]],
      ["attn_output.weight", [HIDDEN, HIDDEN]],
      ["ffn_norm.weight", [HIDDEN]],
      ["ffn_gate.weight", [HIDDEN, FEED_FORWARD]],
      ["ffn_up.weight", [HIDDEN, FEED_FORWARD]],
      ["ffn_down.weight", [FEED_FORWARD, HIDDEN]],
    ];
    if (arch === "qwen2") parts.push(["attn_q.bias", [HIDDEN]], ["attn_k.bias", [KV]], ["attn_v.bias", [KV]]);
    if (arch === "qwen3") parts.push(["attn_q_norm.weight", [16]], ["attn_k_norm.weight", [16]]);
    return parts.map(([name, shape]) => [`blk.${at}.${name}`, shape]);
  };
  const layers = Array.from({ length: LAYERS }, (_, at) => layer(at)).flat();
  return [["token_embd.weight", [HIDDEN, vocab]], ["output_norm.weight", [HIDDEN]], ...layers];
}

function aligned(n: number): number {
  return Math.ceil(n / ALIGNMENT) * ALIGNMENT;
}

function u32(n: number): Uint8Array {
  return new Uint8Array(new Uint32Array([n]).buffer);
}

function u64(n: number): Uint8Array {
  return new Uint8Array(new BigUint64Array([BigInt(n)]).buffer);
}

function text(value: string, withLength = true): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return withLength ? concat([u64(bytes.length), bytes]) : bytes;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
