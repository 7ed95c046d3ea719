/**
 * The process of `temper serve`. It may read one folder and listen on one address, and nothing else: the command
 * starts it with these permissions. Its settings come in a line on stdin, so that the token is in no list of
 * processes; when stdin ends, whoever started it has gone and it goes too.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { z } from "../src/deps/zod.ts";
import { systemClock } from "../src/lib/clock.ts";
import { denoFs } from "../src/lib/files/fs.ts";
import { readLines } from "../src/lib/files/lines.ts";
import { parseJson } from "../src/lib/json/json_file.ts";
import { listen } from "./access/http_server.ts";
import { createApp } from "./app.tsx";
import { createSources } from "./run_sources.ts";

const settings = z.object({
  host: z.string(),
  /** The address that host stands for. */
  address: z.string().optional(),
  port: z.int(),
  token: z.string().optional(),
  names: z.array(z.string()),
  trustProxy: z.boolean(),
  /** Absolute folder of the runs, and how its user calls it. */
  runsDir: z.string(),
  runs: z.string(),
  cwd: z.string(),
  /** How temper was called, for the commands that pages name. */
  invocation: z.object({ tasks: z.array(z.string()), program: z.array(z.string()) }),
});

const stdin = readLines(Deno.stdin.readable);

async function main(): Promise<void> {
  const { host, address = host, port, token, names, trustProxy, runsDir, ...where } = parseJson(
    await firstLine(),
    settings,
    "the settings",
  );
  const guard = { host, token, names, trustProxy };
  const app = createApp(createSources(denoFs, systemClock, runsDir, where), guard);
  try {
    if (isIP(address) === 0) {
      say({ address: (await lookup(address)).address });
      Deno.exit(0);
    }
    const server = await listen(app.fetch, { host: address, port });
    say({ port: server.port });
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    say({ error: code ?? message });
    Deno.exit(1);
  }
  while (!(await stdin.next()).done);
  Deno.exit(0);
}

async function firstLine(): Promise<string> {
  const { value, done } = await stdin.next();
  if (done || !value.terminated) Deno.exit(0);
  return value.lines[0] as string;
}

function say(message: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
}

await main();
