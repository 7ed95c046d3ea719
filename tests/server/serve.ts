/** `deno task serve` as a process of its own. */
import { join } from "../../src/deps/path.ts";
import { ROOT } from "../commands/cli_kit.ts";

export interface Serving extends AsyncDisposable {
  /** What the command printed: the page's address. */
  readonly url: string;
  readonly command: Deno.ChildProcess;
}

export interface ServeOptions {
  /** @default the project's own folder */
  readonly cwd?: string;
  /** Further arguments of the command. */
  readonly args?: readonly string[];
}

/** Starts the task's own command with exactly its permissions on a free port. */
export async function serve(runs: string, { cwd = ROOT, args = [] }: ServeOptions = {}): Promise<Serving> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...await task(), "--json", "--port", "0", "--runs", runs, ...args],
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = command.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  if (value === undefined) throw new Error("Cannot use the server: it exited at once");
  return {
    url: JSON.parse(value).url,
    command,
    async [Symbol.asyncDispose]() {
      try {
        command.kill("SIGTERM");
      } catch { /* it has ended already */ }
      await command.status;
      await reader.cancel();
    },
  };
}

/** What the task hands to Deno, in words that hold in every folder. */
async function task(): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const [deno, ...words] = tasks.serve.command.split(" ") as string[];
  if (deno !== "deno") throw new Error("Cannot start the task serve: it is no command of Deno");
  return words.map((word) => word === "cli.ts" ? join(ROOT, word) : word);
}
