import { shellWord } from "./shell_word.ts";

/** How this program was called, so that hints can be typed as they are. */
export interface Invocation {
  /** Commands that the project has a task of its own for. */
  readonly tasks: readonly string[];
  /** Words that call every command: temper, or deno run -A URL. */
  readonly program: readonly string[];
  /** The folder of the runs, where it is not the default: commands about a run name it. */
  readonly runs?: string;
}

/** Commands about runs, which have to be told where those are. */
const ABOUT_RUNS = [
  "run",
  "resume",
  "compare",
  "explain",
  "runs",
  "show",
  "logs",
  "cancel",
  "tag",
  "register",
  "unregister",
  "prune",
];

/** An installed temper. */
export const INSTALLED: Invocation = { tasks: [], program: ["temper"] };

/** A call of temper as one would type it here. Its first word is the command. */
export function commandLine(invocation: Invocation, ...words: readonly string[]): string {
  return [...callOf(invocation, words[0]), ...words].map(shellWord).join(" ");
}

/** Messages name commands as `temper NAME …`, in these quotes; this rewrites them as temper was called. */
export function asCalled(text: string, invocation: Invocation): string {
  // A quoted word may contain the mark that ends the command.
  return text.replace(/`temper (([\w:-]+)(?:'[^']*'|\\.|[^`'\\])*)`/g, (_, words, name) => {
    const { runs } = invocation;
    const where = runs !== undefined && ABOUT_RUNS.includes(name) ? ["--runs", shellWord(runs)] : [];
    return [...callOf(invocation, name).map(shellWord), words, ...where].join(" ");
  });
}

/** `name`: a command, or a word such as COMMAND that stands for any of them. */
function callOf({ tasks, program }: Invocation, name = ""): readonly string[] {
  const isTask = tasks.includes(name) || tasks.length > 0 && name === name.toUpperCase();
  return isTask ? ["deno", "task"] : program;
}
