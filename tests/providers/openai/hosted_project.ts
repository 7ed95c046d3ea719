import assert from "node:assert/strict";
import { join } from "node:path";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { type Called, ROOT, temper } from "../../commands/cli_kit.ts";

/** Looks like a key, and must be found nowhere. */
export const KEY = "sk-proj-SECRETabcdefghijklmnop0123456789";

export interface HostedProject extends AsyncDisposable {
  readonly dir: string;
  /** Everything that was printed. */
  readonly printed: string[];
  write(path: string, text: string): Promise<void>;
  run(url: string, ...args: string[]): Promise<Called>;
  call(...args: string[]): Promise<Called>;
  /** Starts `temper ARGS`; to be killed. What it prints is read when it has ended. */
  start(...args: string[]): Deno.ChildProcess;
  args(url: string): string[];
  lastRun(): Promise<string>;
}

export function rows(n: number): string {
  return Array.from(
    { length: n },
    (_, i) =>
      JSON.stringify({
        messages: [{ role: "user", content: `say ${i}` }, { role: "assistant", content: `${i}` }],
      }) + "\n",
  ).join("");
}

/** Preference pairs. Those from `n` of one call differ from those of another. */
export function pairs(n: number): string {
  return Array.from(
    { length: n },
    (_, i) => JSON.stringify({ prompt: `say ${i} of ${n}`, chosen: `${i}`, rejected: "no" }) + "\n",
  ).join("");
}

export interface ProjectOptions {
  readonly dialect?: string;
  readonly provider?: string;
  readonly more?: string;
  readonly train?: string;
  readonly held?: string;
  /** Further variables, read anew at each call. */
  readonly env?: Readonly<Record<string, string>>;
  /** Folder of the program, where it is not this repository; ends in a slash. */
  readonly root?: string;
}

/** A small pipeline in a folder of its own, run by the real command line. */
export async function hostedProject(options: ProjectOptions = {}): Promise<HostedProject> {
  const {
    dialect = "openai",
    provider = "",
    more = "",
    train = rows(20),
    held = rows(25).split("\n").slice(20).join("\n"),
    root = ROOT,
  } = options;
  const dir = await Deno.makeTempDir({ prefix: "temper-hosted-" });
  const write = (path: string, text: string) => Deno.writeTextFile(join(dir, path), text);
  await write("train.jsonl", train);
  await write("held.jsonl", held);
  await write(
    "hosted.yaml",
    `version: 1
name: hosted
dataset: {source: train.jsonl, eval: held.jsonl}
method: {kind: lora}
provider:
  kind: openai
  dialect: ${dialect}
  base: gpt-4.1-mini-2025-04-14
  poll_seconds: 0.02
  settle_seconds: 0.5
${provider}${more}`,
  );
  const env = () => ({
    OPENAI_API_KEY: KEY,
    NEBIUS_API_KEY: KEY,
    AZURE_OPENAI_API_KEY: KEY,
    NO_COLOR: "1",
    ...options.env,
  });
  const permissions = ["-A"];
  const printed: string[] = [];
  const call = async (...args: string[]) => {
    const called = await temper(args, { cwd: dir, permissions, env: env(), root });
    printed.push(called.out, called.err);
    return called;
  };
  const start = (...args: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--no-prompt", `${root}cli.ts`, ...args],
      cwd: dir,
      env: env(),
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
  const args = (url: string) => ["run", "hosted.yaml", "--set", `provider.base_url=${url}`];
  return {
    dir,
    printed,
    write,
    call,
    start,
    args,
    run: (url, ...more) => call(...args(url), ...more),
    lastRun: async () => join(dir, "runs", (await denoFs.list(join(dir, "runs"))).at(-1) ?? ""),
    async [Symbol.asyncDispose]() {
      // Whatever a test is about and however it ends: no secret was written or printed.
      const leaks = await filesWith(dir, KEY);
      await Deno.remove(dir, { recursive: true });
      assert.deepEqual(leaks, [], "files hold the key");
      assert.ok(!printed.join("").includes(KEY), "the key was printed");
    },
  };
}

/** Files below a folder that hold a text. */
export async function filesWith(dir: string, text: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(dir)) {
    const path = join(dir, name);
    if (isDirectory) found.push(...await filesWith(path, text));
    else if (!isSymlink && (await Deno.readTextFile(path)).includes(text)) found.push(path);
  }
  return found;
}
