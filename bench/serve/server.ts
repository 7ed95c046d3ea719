/** The server as `deno task serve` starts it, seen from outside. */
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Server extends AsyncDisposable {
  readonly url: string;
  /** Of the process that answers. */
  readonly pid: number;
}

/** Starts the task's own command with its own permissions over a folder of runs. */
export async function startServer(runsDir: string): Promise<Server> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...await taskArgs("serve"), "--json", "--port", "0", "--runs", runsDir],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = command.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  if (value === undefined) throw new Error("Cannot measure the server: it ended at once");
  const { url } = JSON.parse(value) as { url: string };
  return {
    url,
    pid: await childOf(command.pid),
    async [Symbol.asyncDispose]() {
      command.kill("SIGTERM");
      await command.status;
      await reader.cancel();
    },
  };
}

/** What a task hands to Deno, so that this measures what people run. */
async function taskArgs(name: string): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  const [deno, ...args] = (tasks[name].command as string).split(" ");
  if (deno !== "deno") throw new Error(`Cannot start the task ${name}: it is not a command of Deno`);
  return args;
}

async function childOf(parent: number): Promise<number> {
  const children = await Deno.readTextFile(`/proc/${parent}/task/${parent}/children`).catch(() => "");
  const pid = Number(children.trim().split(" ")[0]);
  if (pid > 0) return pid;
  // A thread other than the first may have started it.
  for await (const { name } of Deno.readDir("/proc")) {
    const stat = /^\d+$/.test(name) ? await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "") : "";
    if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent) return Number(name);
  }
  throw new Error(`Cannot find the server's process: ${parent} has no child`);
}

export interface Memory {
  readonly now: number;
  readonly peak: number;
}

/** Bytes that are resident now, and the most that ever were. */
export async function memoryOf(pid: number): Promise<Memory> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const value = (name: string) => Number(new RegExp(`${name}:\\s*(\\d+) kB`).exec(status)?.[1]) * 1024;
  return { now: value("VmRSS"), peak: value("VmHWM") };
}

/** Files and folders that the process has the kernel watch. */
export async function watchesOf(pid: number): Promise<number> {
  let watches = 0;
  for await (const { name } of Deno.readDir(`/proc/${pid}/fdinfo`)) {
    const info = await Deno.readTextFile(`/proc/${pid}/fdinfo/${name}`).catch(() => "");
    watches += info.match(/^inotify wd:/gm)?.length ?? 0;
  }
  return watches;
}
