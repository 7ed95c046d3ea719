import { DENO_TASK } from "../hermetic.ts";
import { join } from "../../src/deps/path.ts";
import { createApp } from "../../server/app.tsx";
import type { GuardOptions } from "../../server/access/guard.ts";
import { createSources, type Sources } from "../../server/run_sources.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { denoFs, type Fs } from "../../src/lib/files/fs.ts";
import type { NewEvent } from "../../src/log/events.ts";
import { BEGINNING, DONE, logText, recorded, STARTED, training } from "../ui/recorded.ts";

export { BEGINNING, DONE, STARTED, training };

type App = ReturnType<typeof createApp>;

/** A folder of runs and a server over it, gone when the test is over. */
export interface Site extends AsyncDisposable {
  readonly runsDir: string;
  readonly app: App;
  readonly sources: Sources;
  /** Writes a run's log and returns its folder. */
  addRun(id: string, events: readonly NewEvent[]): Promise<string>;
  write(path: string, text: string): Promise<void>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  text(path: string): Promise<string>;
  json(path: string): Promise<Record<string, unknown>>;
}

export async function site(
  guard: Partial<GuardOptions> = {},
  fs: Fs = denoFs,
  clock: Clock = systemClock,
): Promise<Site> {
  const runsDir = await Deno.makeTempDir({ prefix: "temper-serve-" });
  const sources = createSources(fs, clock, runsDir, {
    runs: "runs",
    cwd: "/project",
    invocation: DENO_TASK,
  });
  const app = createApp(sources, { host: "127.0.0.1", ...guard });
  const get = (path: string, headers: Record<string, string> = {}) =>
    Promise.resolve(app.request(path, { headers: { host: "localhost", ...headers } }));
  const write = async (path: string, text: string) => {
    await Deno.mkdir(join(runsDir, path, ".."), { recursive: true });
    await Deno.writeTextFile(join(runsDir, path), text);
  };
  return {
    runsDir,
    app,
    sources,
    async addRun(id, events) {
      const own = events.map((event) => event.type === "run.started" ? { ...event, run: id } : event);
      await write(join(id, "events.jsonl"), logText(recorded(own)));
      await write(join(id, "lock"), "");
      return join(runsDir, id);
    },
    write,
    get,
    text: async (path) => await (await get(path)).text(),
    json: async (path) => await (await get(path)).json(),
    [Symbol.asyncDispose]: () => Deno.remove(runsDir, { recursive: true }),
  };
}

/** Each path below a folder with its kind, time of change and bytes: equal only when nothing there was touched. */
export async function stateOf(dir: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const path = join(dir, name);
    const { mtime, mode } = await Deno.lstat(path);
    const content = isDirectory ? "folder" : (await Deno.readFile(path)).toBase64();
    lines.push(`${path} ${mode} ${mtime?.getTime()} ${content}`);
    if (isDirectory) lines.push(...await stateOf(path));
  }
  return lines.toSorted();
}

/** A line of the trainer's metrics. */
export function metric(step: number, loss: number, attempt = 1): string {
  const t = new Date(step * 1000).toISOString();
  return `${
    JSON.stringify({
      t,
      attempt,
      type: "train",
      step,
      steps: 1000,
      loss,
      smoothed: loss,
      smoothed_over: step,
      learning_rate: 1e-3,
      tokens_per_second: 100,
      rss: 1e9,
    })
  }\n`;
}

interface Message {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

/** The messages of an event stream until there are `count` of them with this name. */
export async function messages(
  body: ReadableStream<Uint8Array>,
  count: number,
  event = "message",
): Promise<Message[]> {
  const found: Message[] = [];
  for await (const message of messagesOf(body, event)) {
    found.push(message);
    if (found.length === count) break;
  }
  return found;
}

/** The messages of an event stream with this name, as they arrive. */
export async function* messagesOf(
  body: ReadableStream<Uint8Array>,
  event: string,
): AsyncGenerator<Message, undefined> {
  let text = "";
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const fields = Object.fromEntries(
        text.slice(0, end).split("\n").map((line) => /^(\w*): (.*)$/.exec(line)!.slice(1)),
      );
      text = text.slice(end + 2);
      const message = { id: fields.id, event: fields.event ?? "message", data: fields.data };
      if (message.event === event && fields.data !== undefined) yield message;
    }
  }
}
