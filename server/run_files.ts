import { join } from "../src/deps/path.ts";
import { lastLines } from "../src/lib/files/last_lines.ts";
import type { ReadFs } from "../src/lib/files/read_fs.ts";
import { parseJson } from "../src/lib/json/json_file.ts";
import { maskedText } from "../src/lib/net/secrets.ts";
import { blockYaml } from "../src/lib/text/yaml_text.ts";
import { readSettings } from "../src/log/run_settings.ts";
import { effectiveSpec, type ShownSetting, shownSettings } from "../src/view/settings.ts";
import { oneLine } from "../src/lib/text/text_width.ts";
import { type ChangeKind, changeOf, type Prediction, readPredictions } from "../src/log/predictions.ts";
import type { RunState } from "../src/log/run_state.ts";
import { type DataReport, dataReport } from "../src/pages/data_report.ts";
import { stepFolder } from "./run_details.ts";
import { reason } from "./run_index.ts";

/** What a page shows of a file at most. */
const MOST_TEXT = 256 * 1024;
const MOST_REPORT = 8 * 1024 * 1024;
const LOG_BYTES = 64 * 1024;
const LOG_LINES = 200;

/** A part of the page: what a file says, why it cannot be read, or neither when there is none. */
export type Part<T> = { readonly value?: T; readonly problem?: string };

/** The pipeline file as it was when the run was made. */
export function pipelineText(fs: ReadFs, dir: string): Promise<Part<string>> {
  return readPart(async () => {
    const text = await textOf(fs, join(dir, "pipeline.yaml"), MOST_TEXT);
    // The copies of earlier versions are as the files were.
    return text === undefined ? undefined : maskedText(text);
  });
}

/** What a run was made with. */
export interface MadeWith {
  readonly settings: readonly ShownSetting[];
  /** The pipeline with every value filled in, where that says more than its file. */
  readonly effective: string | undefined;
}

/** The values of a run, and where they come from. */
export function madeWith(fs: ReadFs, dir: string, state: RunState): Promise<Part<MadeWith>> {
  return readPart(async () => {
    const made = await readSettings(fs, dir);
    if (!made) return undefined;
    const spec = effectiveSpec(made.spec, made.settings);
    return {
      settings: shownSettings(made.settings, state),
      effective: spec && maskedText(`${blockYaml(spec, "").join("\n")}\n`),
    };
  });
}

/** The Modelfile beside the finished model, or the one that is planned for it. */
export function modelfileText(fs: ReadFs, dir: string, state: RunState): Promise<Part<string>> {
  return readPart(async () => {
    const planned = stepFolder(state, "configure");
    return await textOf(fs, join(dir, "job", "artifacts", "Modelfile"), MOST_TEXT) ??
      (planned && await textOf(fs, join(dir, planned, "Modelfile"), MOST_TEXT));
  });
}

/** What the format step said about the dataset. */
export function reportOf(fs: ReadFs, dir: string, state: RunState): Promise<Part<DataReport>> {
  return readPart(async () => {
    const folder = stepFolder(state, "format");
    const text = folder && await textOf(fs, join(dir, folder, "report.json"), MOST_REPORT);
    return text === undefined ? undefined : parseJson(text, dataReport, "report.json");
  });
}

/** The last lines of what a local trainer printed. */
export function trainerLog(fs: ReadFs, dir: string): Promise<Part<readonly string[]>> {
  return readPart(async () => {
    const path = join(dir, "job", "trainer.log");
    if (!await fs.stat(path)) return undefined;
    const lines = await lastLines(path, fs, LOG_BYTES, LOG_LINES);
    return lines.map(oneLine).filter((line) => line.trim() !== "");
  });
}

export interface PredictionPage {
  readonly rows: readonly Prediction[];
  readonly total: number;
  readonly counts: Readonly<Record<ChangeKind, number>>;
}

export interface PredictionQuery {
  readonly change: ChangeKind | undefined;
  /** From 1. */
  readonly page: number;
  readonly perPage: number;
}

/** A page of the eval rows with what was answered before and after. */
export function predictionsOf(
  fs: ReadFs,
  dir: string,
  query: PredictionQuery,
): Promise<Part<PredictionPage>> {
  return readPart(async () => {
    const path = join(dir, "job", "artifacts", "predictions.jsonl");
    if (!(await fs.stat(path))?.isFile) return undefined;
    const counts = { fixed: 0, "still_wrong": 0, broken: 0, "still_right": 0 };
    const rows: Prediction[] = [];
    let total = 0;
    const first = (query.page - 1) * query.perPage;
    for await (const row of readPredictions(fs, path)) {
      const change = changeOf(row);
      if (change) counts[change]++;
      if (query.change !== undefined && change !== query.change) continue;
      if (total >= first && rows.length < query.perPage) rows.push(row);
      total++;
    }
    return { rows, total, counts };
  });
}

async function readPart<T>(read: () => Promise<T | undefined>): Promise<Part<T>> {
  try {
    const value = await read();
    return value === undefined ? {} : { value };
  } catch (error) {
    return { problem: reason(error) };
  }
}

/** The text of a file, or its beginning; undefined where there is none. */
async function textOf(fs: ReadFs, path: string, most: number): Promise<string | undefined> {
  const file = await fs.stat(path);
  if (!file?.isFile) return undefined;
  return await new Response(fs.readStream(path, 0, Math.min(file.size, most))).text();
}
