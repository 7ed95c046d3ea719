/**
 * The process of `temper serve`. It may read one folder and listen on one address, and nothing else: the command
 * starts it with these permissions. Its settings come in a line on stdin, so that the token is in no list of
 * processes; when stdin ends, whoever started it has gone and it goes too.
 */
import { z } from "../src/deps/zod.ts";
import { systemClock } from "../src/lib/clock.ts";
import { denoFs } from "../src/lib/files/fs.ts";
import { createApp } from "./app.tsx";
import { createSources } from "./sources.ts";

const settings = z.object({
  host: z.string(),
  port: z.int(),
  token: z.string().optional(),
  names: z.array(z.string()),
  /** Absolute folder of the runs, and how its user calls it. */
  runsDir: z.string(),
  runs: z.string(),
  cwd: z.string(),
  /** How temper was called, for the commands that pages name. */
  invocation: z.object({ tasks: z.array(z.string()), program: z.array(z.string()) }),
});

const stdin = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).getReader();

async function main(): Promise<void> {
  const { host, port, token, names, runsDir, ...where } = settings.parse(JSON.parse(await firstLine()));
  const app = createApp(createSources(denoFs, systemClock, runsDir, where), { host, token, names });
  try {
    Deno.serve({ hostname: host, port, onListen: ({ port }) => say({ port }) }, app.fetch);
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    say({ error: name === "Error" || name === "" ? String(error) : name });
    Deno.exit(1);
  }
  while (!(await stdin.read()).done);
  Deno.exit(0);
}

async function firstLine(): Promise<string> {
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await stdin.read();
    if (done) Deno.exit(0);
    text += value;
  }
  return text.slice(0, text.indexOf("\n"));
}

function say(message: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
}

await main();
