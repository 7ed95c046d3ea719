import { fileURLToPath } from "node:url";
import own from "../../deno.json" with { type: "json" };
import { withoutUser } from "../lib/net/address.ts";
import { shellWord } from "../lib/text/shell_word.ts";
import { COMMANDS } from "./registry.ts";

const CLI = new URL("../../cli.ts", import.meta.url);

/**
 * The program that a project's tasks call: this one. An address holds the version, and is in version control: user and
 * password are left out. A path is this machine's.
 */
export const PROGRAM: string = CLI.protocol === "file:" ? fileURLToPath(CLI) : withoutUser(CLI.href);

/** Where this program is loaded from, if that takes a user or a password. */
export const PRIVATE_HOST: string | undefined = CLI.username + CLI.password === "" ? undefined : CLI.host;

interface Task {
  readonly description: string;
  readonly command: string;
}

/** deno.json of a new project: temper's own tasks, each with its own narrow permissions. */
export function projectConfig() {
  const tasks: Record<string, Task> = {};
  for (const [name, task] of Object.entries<Task | string>(own.tasks)) {
    if (typeof task === "string" || !(Object.hasOwn(COMMANDS, name) || name === "help")) continue;
    tasks[name] = { description: task.description, command: commandOf(task.command) };
  }
  // With a package.json beside it, Deno would look for temper's packages in node_modules.
  return { nodeModulesDir: "none", tasks };
}

function commandOf(command: string): string {
  const called = command.replace(" cli.ts ", () => ` ${shellWord(PROGRAM)} `);
  return CLI.protocol === "file:"
    // The modules of a program on this disk lie outside the project.
    ? called.replace("--allow-read=. ", "--allow-read ")
    // Each command fetches its modules when it is first called; nobody has to see them all.
    : called.replace("deno run ", "deno run --quiet ");
}
