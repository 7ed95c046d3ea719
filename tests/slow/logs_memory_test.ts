import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { ROOT } from "../commands/cli_kit.ts";
import { logText, recorded } from "../ui/recorded.ts";
import { BEGINNING } from "../server/kit.ts";

const RUN = "20261122-080000-home-lora-3fa2";
const MB = 1e6;
/** Garbage that the runtime had no reason to collect yet. Keeping the lines took 200 MB more. */
const MOST_MORE = 60 * MB;

/** A log of that many words about a training. */
async function writeLog(path: string, events: number): Promise<void> {
  const beginning = logText(recorded(BEGINNING));
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  const write = async (text: string) => {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  };
  await write(beginning);
  const first = BEGINNING.length + 1;
  for (let seq = first; seq < events;) {
    let text = "";
    for (const end = Math.min(events, seq + 5000); seq < end; seq++) text += progress(seq);
    await write(text);
  }
}

function progress(seq: number): string {
  const metrics = { loss: 0.5, smoothed: 0.4, "tokens_per_second": 2500 };
  const event = {
    type: "step.progress",
    step: "monitor",
    phase: "train",
    done: seq,
    total: 1e7,
    unit: "steps",
  };
  return `${JSON.stringify({ v: 1, seq, t: "2026-11-22T08:00:00.000Z", ...event, metrics })}\n`;
}

/** The most memory that the command ever had resident, and how many lines it printed. */
async function peakOf(dir: string, args: readonly string[]): Promise<{ peak: number; lines: number }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-read",
      "--allow-env",
      "--allow-sys",
      join(ROOT, "cli.ts"),
      "logs",
      RUN,
      ...args,
    ],
    cwd: dir,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let peak = 0;
  let lines = 0;
  for await (const chunk of child.stdout) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
    // Gone when it ends: then what was read last counts.
    const status = await Deno.readTextFile(`/proc/${child.pid}/status`).catch(() => "");
    peak = Math.max(peak, Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1] ?? 0) * 1024);
  }
  assert.equal((await child.status).code, 0);
  return { peak, lines };
}

Deno.test(
  "logs keeps no line of a log: ten times as many events need little more memory",
  { ignore: Deno.build.os !== "linux" },
  async () => {
    const dir = await Deno.makeTempDir({ prefix: "temper-logs-" });
    const path = join(dir, "runs", RUN, "events.jsonl");
    await Deno.mkdir(join(path, ".."), { recursive: true });
    for (const args of [["--json"], ["--no-follow"]]) {
      const peaks = [];
      for (const events of [30_000, 300_000]) {
        await writeLog(path, events);
        const { peak, lines } = await peakOf(dir, args);
        assert.equal(lines, events - 1, args.join(" "));
        peaks.push(peak);
      }
      const [few, many] = peaks as [number, number];
      assert.ok(
        many < few + MOST_MORE,
        `${args}: ${Math.round(few / MB)} MB, then ${Math.round(many / MB)} MB`,
      );
    }
    await Deno.remove(dir, { recursive: true });
  },
);
