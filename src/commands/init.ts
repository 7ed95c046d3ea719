import { jsonText } from "../lib/json/json_file.ts";
import { join, relative, resolve } from "../deps/path.ts";
import evalRows from "../../pipelines/data/home.eval.jsonl" with { type: "text" };
import trainRows from "../../pipelines/data/home.train.jsonl" with { type: "text" };
import pipeline from "../../pipelines/lora.yaml" with { type: "text" };
import gitignore from "../../templates/gitignore" with { type: "text" };
import workflow from "../../templates/temper.yml" with { type: "text" };
import { EXIT, TemperError, UsageError } from "../lib/errors.ts";
import type { Fs } from "../lib/files/fs.ts";
import { isTaken, makeFolder } from "../lib/files/folder.ts";
import { commandLine, type Invocation } from "../lib/text/invocation.ts";
import { explainSystemError } from "../lib/system_error.ts";
import { shellWord } from "../lib/text/shell_word.ts";
import { schemaText } from "../spec/schema/json_schema.ts";
import type { Command } from "../cli/command.ts";
import { ownTasks, TASK_FILES } from "../cli/invocation.ts";
import { PRIVATE_HOST, PROGRAM, projectConfig } from "../cli/project_config.ts";

const PIPELINE = "pipelines/lora.yaml";

/** Tasks that the files of a project call: its workflow and what is printed as the next command. */
const NEEDED = ["check", "plan", "run"];

export const init: Command = {
  name: "init",
  summary: "Create a project: tasks, a pipeline, sample data, CI",
  usage: "[DIR]",
  positionals: [0, 1],
  options: {},
  details: "Never prompts and never overwrites: existing files are kept and listed.\n\n" +
    "`temper init`\n`temper init my-model`",
  async run({ positionals, values, terminal, fs, cwd, invocation }) {
    const dir = resolve(cwd, positionals[0] ?? ".");
    const files = projectFiles();
    const [wrote, left] = await create(dir, files, fs);
    const tasks = await ownTasks({ fs, cwd: dir });
    const missing = NEEDED.filter((name) => !tasks.includes(name));
    const enter = dir === resolve(cwd) ? "" : `cd ${shellWord(relative(cwd, dir))} && `;
    const next = enter + commandLine({ tasks, program: programFrom(invocation) }, "run", PIPELINE);
    if (values["json"]) {
      if (missing.length > 0) throw noTasks({ dir, tasks, missing, next });
      terminal.out(jsonText({ dir, wrote, left, next }));
      return EXIT.ok;
    }
    for (const path of wrote) terminal.out(`wrote    ${path}\n`);
    for (const path of left) terminal.out(`kept     ${path}, which exists already\n`);
    if (missing.length > 0) throw noTasks({ dir, tasks, missing, next });
    terminal.out(`\n${programNote()}Next: ${next}\n`);
    return EXIT.ok;
  },
};

/** The files of a new project by their path in it. The pipeline is the demo, so that its result is the demo's. */
function projectFiles(): Readonly<Record<string, string>> {
  return {
    "deno.json": jsonText(projectConfig()),
    ".dvmrc": `${Deno.version.deno}\n`,
    ".gitignore": gitignore,
    [PIPELINE]: pipeline,
    "pipelines/schema.json": schemaText(),
    "pipelines/data/home.train.jsonl": trainRows,
    "pipelines/data/home.eval.jsonl": evalRows,
    ".github/workflows/temper.yml": workflow,
  };
}

/** The files written and those that existed. */
async function create(dir: string, files: Readonly<Record<string, string>>, fs: Fs) {
  try {
    await refuseConflicts(dir, Object.keys(files), fs);
    return await writeMissing(dir, files, fs);
  } catch (error) {
    throw explainSystemError(`Cannot create a project in "${dir}"`, error);
  }
}

/** Checks before anything is written: a project is created completely or not at all. */
async function refuseConflicts(dir: string, paths: readonly string[], fs: Fs): Promise<void> {
  for (const path of paths) {
    const parts = path.split("/");
    for (let i = 0; i < parts.length; i++) {
      const folder = join(dir, ...parts.slice(0, i));
      const stat = await fs.stat(folder);
      if (stat?.isDirectory) continue;
      if (stat || await isTaken(folder, fs)) throw conflict(dir, folder, "but a folder is needed");
    }
    if ((await fs.stat(join(dir, path)))?.isDirectory) {
      throw conflict(dir, join(dir, path), "but a file is needed");
    }
  }
}

function conflict(dir: string, path: string, found: string): UsageError {
  const hint = "Rename it, or choose another folder for the project";
  return new UsageError(
    "project-conflict",
    `Cannot create a project in "${dir}": "${path}" exists, ${found}`,
    {
      hint,
    },
  );
}

/** Writes what is not there, deno.json under either of its names. */
async function writeMissing(dir: string, files: Readonly<Record<string, string>>, fs: Fs) {
  const wrote: string[] = [];
  const left: string[] = [];
  for (const [path, text] of Object.entries(files)) {
    const names = path === TASK_FILES[0] ? TASK_FILES : [path];
    const present = await firstPresent(dir, names, fs);
    if (present === undefined) {
      await makeFolder(join(dir, path, ".."), fs);
      await fs.writeAtomic(join(dir, path), text);
      wrote.push(path);
    } else left.push(present);
  }
  return [wrote, left] as const;
}

async function firstPresent(dir: string, names: readonly string[], fs: Fs): Promise<string | undefined> {
  for (const name of names) if (await isTaken(join(dir, name), fs)) return name;
  return undefined;
}

/** The words that call this temper from any folder, without a task. */
function programFrom({ tasks, program }: Invocation): readonly string[] {
  const isModule = program[0] === "deno" && program[1] === "run";
  return tasks.length === 0 && !isModule ? program : ["deno", "run", "-A", PROGRAM];
}

interface Lack {
  readonly dir: string;
  /** Those that its deno.json has. */
  readonly tasks: readonly string[];
  readonly missing: readonly string[];
  readonly next: string;
}

function noTasks({ dir, tasks, missing, next }: Lack): TemperError {
  const all = Object.entries(projectConfig().tasks);
  const lacking = Object.fromEntries(all.filter(([name]) => !tasks.includes(name)));
  return new TemperError(
    "no-tasks",
    `Cannot complete the project in "${dir}": its deno.json has no task that calls temper for ${
      missing.join(", ")
    }`,
    {
      hint: `Add these to its "tasks", or continue with ${next}:\n${JSON.stringify(lacking, null, 2)}`,
    },
  );
}

/** What the tasks need elsewhere: a path is only valid on this machine, and a password is not written down. */
function programNote(): string {
  if (PRIVATE_HOST !== undefined) {
    return `The tasks call temper in ${PROGRAM}, without the user and password it was called with. Set ` +
      `DENO_AUTH_TOKENS=USER:PASSWORD@${PRIVATE_HOST} where they run, also in CI.\n`;
  }
  if (!PROGRAM.startsWith("/") && !/^[A-Za-z]:/.test(PROGRAM)) return "";
  return `The tasks call temper in ${PROGRAM}. For other machines and CI, replace the path with a URL.\n`;
}
