import { join } from "node:path";
import { z } from "zod";
import { UsageError } from "../../../lib/errors.ts";
import type { Fs } from "../../../lib/fs.ts";

export interface Weights {
  readonly names: ReadonlySet<string>;
  readonly parameters: number;
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

/** Reads the headers of a model's safetensors files: what they hold and whether they are complete. */
export async function readWeights(
  base: string,
  folder: string,
  files: readonly string[],
  fs: Fs,
): Promise<Weights> {
  const names = new Set<string>();
  const byType = new Map<string, number>();
  let bytes = 0;
  for (const file of files) {
    const size = (await fs.stat(join(folder, file)))?.size ?? 0;
    bytes += size;
    for (const [name, tensor] of await readHeader(base, join(folder, file), file, size, fs)) {
      names.add(name);
      const parameters = tensor.shape.reduce((product, n) => product * n, 1);
      byType.set(tensor.dtype, (byType.get(tensor.dtype) ?? 0) + parameters);
    }
  }
  const parameters = [...byType.values()].reduce((sum, n) => sum + n, 0);
  const type = [...byType].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "";
  return { names, parameters, bytes, type };
}

/** Eight bytes of length, then JSON, then the tensors. */
async function readHeader(
  base: string,
  path: string,
  file: string,
  size: number,
  fs: Fs,
): Promise<[string, Tensor][]> {
  const bad = (found: string) =>
    new UsageError("base-unreadable", `Cannot use base "${base}": "${file}" ${found}`, {
      hint: "Download or copy it again",
    });
  if (size < 8) throw bad("is cut short");
  const head = new DataView(await bytesOf(fs.readStream(path, 0, 8)));
  const length = Number(head.getBigUint64(0, true));
  if (length > LARGEST_HEADER) throw bad("is not a safetensors file");
  if (8 + length > size) throw bad("is cut short");
  const tensors = parse(await bytesOf(fs.readStream(path, 8, 8 + length)));
  if (!tensors) throw bad("is not a safetensors file");
  const end = 8 + length + Math.max(0, ...tensors.map(([, tensor]) => tensor.data_offsets[1]));
  if (end > size) throw bad(`is cut short: its tensors end at byte ${end} of ${size}`);
  return tensors;
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
