import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Called {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Calls the command line as `deno task` does, with the permissions given. */
export async function temper(
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly permissions?: readonly string[];
    readonly env?: Record<string, string>;
    /** Folder of the program, where it is not this repository. */
    readonly root?: string;
  } = {},
): Promise<Called> {
  const {
    cwd = ROOT,
    permissions = ["--allow-read", "--allow-env", "--allow-sys=systemMemoryInfo"],
    env = {},
    root = ROOT,
  } = options;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...permissions, `${root}cli.ts`, ...args],
    cwd,
    env,
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}
