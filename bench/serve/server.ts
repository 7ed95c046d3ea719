/** The server as `deno task serve` starts it, seen from outside. */
import { serve } from "../../tests/server/serve.ts";

export interface Server extends AsyncDisposable {
  readonly url: string;
  /** Of the process that answers. */
  readonly pid: number;
}

/** Starts the task's own command over a folder of runs. */
export async function startServer(runsDir: string): Promise<Server> {
  const serving = await serve(runsDir);
  return {
    url: serving.url,
    pid: await childOf(serving.command.pid),
    [Symbol.asyncDispose]: () => serving[Symbol.asyncDispose](),
  };
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
