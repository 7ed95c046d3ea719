import { join } from "../deps/path.ts";
import type { Fs } from "../lib/files/fs.ts";
import { readJson } from "../lib/json/json_file.ts";
import { dataReport } from "../pages/data_report.ts";
import type { DataSize, Examples } from "../providers/provider.ts";
import type { LoadedSpec } from "../spec/load.ts";
import { resolveSources, type Source } from "./extract/sources.ts";

/** Read of each source to see how long its rows are. */
const SAMPLE_BYTES = 65_536;

/**
 * How much data a pipeline has: counted in `examples`, the output of format, or estimated from the sizes of the sources
 * and their first rows. Memory and time do not grow with the data.
 */
export async function dataSize(
  loaded: LoadedSpec,
  fs: Fs,
  examples: Examples | undefined,
): Promise<DataSize> {
  if (examples) return await counted(examples);
  const size = { train: { rows: 0, chars: 0 }, eval: { rows: 0, chars: 0 } };
  for (const source of await resolveSources(loaded, fs)) {
    const { rows, chars } = await sampled(source, fs);
    size[source.set].rows += rows;
    size[source.set].chars += chars;
  }
  const { split } = loaded.spec.dataset;
  const share = split === undefined
    ? 0
    : split.eval < 1
    ? split.eval
    : Math.min(1, split.eval / size.train.rows);
  return {
    trainRows: Math.round(size.train.rows * (1 - share)),
    evalRows: Math.round(size.eval.rows + size.train.rows * share),
    trainChars: Math.round(size.train.chars * (1 - share)),
    evalChars: Math.round(size.eval.chars + size.train.chars * share),
    how: "estimated from the sources' first rows; counted once format has run",
  };
}

async function sampled(source: Source, fs: Fs): Promise<{ rows: number; chars: number }> {
  const bytes = (await fs.stat(source.path))?.size ?? 0;
  let text = "";
  const decoder = new TextDecoder(source.entry.options.encoding);
  for await (const chunk of fs.readStream(source.path, 0, SAMPLE_BYTES)) {
    text += decoder.decode(chunk, { stream: true });
  }
  const rows = source.suffix === ".json"
    ? text.split(/\}\s*,\s*\{/).length
    : text.trimEnd().split("\n").length;
  const header = source.suffix === ".csv" || source.suffix === ".tsv" ? 1 : 0;
  return {
    rows: Math.max(1, Math.round(rows * bytes / Math.max(1, Math.min(bytes, SAMPLE_BYTES))) - header),
    chars: bytes,
  };
}

async function counted({ fs, dir }: Examples): Promise<DataSize> {
  const report = await readJson(join(dir, "report.json"), dataReport, fs);
  return {
    trainRows: report.train.rows,
    evalRows: report.eval?.rows ?? 0,
    trainChars: report.train.chars,
    evalChars: report.eval?.chars ?? 0,
    how: "counted",
  };
}
