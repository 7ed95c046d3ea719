import { Buffer } from "node:buffer";
import { join } from "../../../deps/path.ts";
import { z } from "../../../deps/zod.ts";
import { UsageError } from "../../../lib/errors.ts";
import type { Fs } from "../../../lib/files/fs.ts";

/** A tensor of a file, and where its bytes are. */
export interface StoredTensor {
  readonly type: string;
  readonly shape: readonly number[];
  readonly file: string;
  /** From the start of the file. */
  readonly start: number;
  readonly end: number;
}

export interface Weights {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly bytes: number;
  /** The type most weights have, such as BF16. */
  readonly type: string;
}

const Tensor = z.object({
  dtype: z.string(),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});
type Tensor = z.infer<typeof Tensor>;

/** The format's own limit on a header. */
const LARGEST_HEADER = 100_000_000;
const FLOATS = ["F64", "F32", "F16", "BF16"];
/** Masks and positions that old models were saved with. They are no weights. */
export const BUFFER =
  /(^|\.)(attn|attention)\.(bias|masked_bias)$|\.rotary_emb\.inv_freq$|(^|\.)position_ids$/;

/** Reads the headers of a model's safetensors files: what they hold and whether they are complete. */
export async function readWeights(
  base: string,
  folder: string,
  files: readonly string[],
  fs: Fs,
): Promise<Weights> {
  const tensors = new Map<string, StoredTensor>();
  const byType = new Map<string, number>();
  let bytes = 0;
  for (const file of files) {
    const size = (await fs.stat(join(folder, file)))?.size ?? 0;
    bytes += size;
    for (const [name, tensor] of await readHeader(base, join(folder, file), file, size, fs)) {
      refuseType(base, name, tensor.type);
      tensors.set(name, tensor);
      byType.set(tensor.type, (byType.get(tensor.type) ?? 0) + elements(tensor));
    }
  }
  const type = [...byType].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "";
  return { tensors, bytes, type };
}

export function elements({ shape }: { readonly shape: readonly number[] }): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** Whether two tensors hold the same. */
export async function equalTensors(
  folder: string,
  one: StoredTensor,
  other: StoredTensor,
  fs: Fs,
): Promise<boolean> {
  if (one.type !== other.type || one.shape.join() !== other.shape.join()) return false;
  const step = 1 << 22;
  for (let at = 0; at < one.end - one.start; at += step) {
    const [a, b] = await Promise.all(
      [one, other].map(({ file, start, end }) =>
        bytesOf(fs.readStream(join(folder, file), start + at, Math.min(start + at + step, end)))
      ),
    );
    if (!Buffer.from(a!).equals(Buffer.from(b!))) return false;
  }
  return true;
}

function refuseType(base: string, name: string, type: string): void {
  if (FLOATS.includes(type) || BUFFER.test(name)) return;
  const found = `its weights are quantised, tensor "${name}" has the type ${type}`;
  throw new UsageError("base-unsupported", `Cannot train base "${base}": ${found}`, {
    hint: "Use the original model, with weights in fp32, fp16 or bf16, or a GGUF file of it",
  });
}

/** Eight bytes of length, then JSON, then the tensors. */
async function readHeader(
  base: string,
  path: string,
  file: string,
  size: number,
  fs: Fs,
): Promise<[string, StoredTensor][]> {
  const bad = (found: string) =>
    new UsageError("base-unreadable", `Cannot use base "${base}": "${file}" ${found}`, {
      hint: "Download or copy it again",
    });
  if (size < 8) throw bad("is truncated");
  const head = new DataView(await bytesOf(fs.readStream(path, 0, 8)));
  const length = Number(head.getBigUint64(0, true));
  if (length > LARGEST_HEADER) throw bad("is not a safetensors file");
  if (8 + length > size) throw bad("is truncated");
  const tensors = parse(await bytesOf(fs.readStream(path, 8, 8 + length)));
  if (!tensors) throw bad("is not a safetensors file");
  const data = 8 + length;
  const found = tensors.map(([name, { dtype, shape, data_offsets: [start, end] }]) =>
    [name, { type: dtype, shape, file, start: data + start, end: data + end }] as [string, StoredTensor]
  );
  const end = Math.max(data, ...found.map(([, tensor]) => tensor.end));
  if (end > size) throw bad(`is truncated: its tensors end at byte ${end} of ${size}`);
  return found;
}

function parse(header: ArrayBuffer): [string, Tensor][] | undefined {
  try {
    const { __metadata__: _, ...tensors } = JSON.parse(new TextDecoder().decode(header));
    return Object.entries(z.record(z.string(), Tensor).parse(tensors));
  } catch (cause) {
    if (cause instanceof SyntaxError || cause instanceof z.ZodError) return undefined;
    throw cause;
  }
}

function bytesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<ArrayBuffer> {
  return new Response(stream).arrayBuffer();
}
