import { join } from "../src/deps/path.ts";
import type { ReadFs } from "../src/lib/files/read_fs.ts";
import { parseJson } from "../src/lib/json/json_file.ts";
import { maskedText } from "../src/lib/net/secrets.ts";
import { blockYaml } from "../src/lib/text/yaml_text.ts";
import { readSettings } from "../src/log/run_settings.ts";
import { effectiveSpec, type ShownSetting, shownSettings } from "../src/view/settings.ts";
import type { RunState } from "../src/log/run_state.ts";
import { type DataReport, dataReport } from "../src/pages/data_report.ts";
import type { AnswerQuery } from "./answers/answer_query.ts";
import { answerFiles, type AnswerPage, answerPage } from "./answers/answer_rows.ts";
import { type Conversation, conversationsOf } from "./answers/conversation.ts";
import { type TrainerEnd, trainerLines } from "./files/trainer_log.ts";
import { stepFolder } from "./run_details.ts";
import { reason } from "./run_index.ts";

/** What a page shows of a file at most. */
const MOST_TEXT = 256 * 1024;
const MOST_REPORT = 8 * 1024 * 1024;

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

/** What the format step said about the dataset, also when it refused the rows. */
export function reportOf(fs: ReadFs, dir: string, state: RunState): Promise<Part<DataReport>> {
  return readPart(async () => {
    for (const folder of reportFolders(state)) {
      const text = await textOf(fs, join(dir, folder, "report.json"), MOST_REPORT);
      if (text !== undefined) return parseJson(text, dataReport, "report.json");
    }
    return undefined;
  });
}

/** Of the step's output, and of its latest attempt: what that wrote stays there until the step succeeds. */
function reportFolders(state: RunState): string[] {
  const output = stepFolder(state, "format");
  const step = state.steps.find(({ kind }) => kind === "format");
  if (output === undefined || !step) return [];
  return step.state === "done" ? [output] : [join("attempts", "format", String(step.attempt)), output];
}

/** The last lines of what a local trainer printed. */
export function trainerLog(fs: ReadFs, dir: string): Promise<Part<TrainerEnd>> {
  return readPart(() => trainerLines(fs, dir));
}

/** A page of the held-out rows with all that was answered to them. */
export function answersOf(
  fs: ReadFs,
  dir: string,
  state: RunState,
  query: AnswerQuery,
): Promise<Part<AnswerPage>> {
  return readPart(async () => {
    const files = await answerFiles(fs, dir, state);
    return files && await answerPage(fs, files, query);
  });
}

/** The conversations that a page of answers belongs to, by origin. */
export function conversationsFor(
  fs: ReadFs,
  dir: string,
  state: RunState,
  { value }: Part<AnswerPage>,
): Promise<Part<ReadonlyMap<string, Conversation>>> {
  const origins = value?.rows.map(({ prediction }) => prediction.origin) ?? [];
  return readPart(() => conversationsOf(fs, dir, state, origins));
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
