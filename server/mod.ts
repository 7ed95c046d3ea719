/**
 * The status page as a function from request to response, to be served by your own program.
 *
 * @module
 */
import { resolve } from "../src/deps/path.ts";
import type { Hono } from "../src/deps/hono.ts";
import { systemClock } from "../src/lib/clock.ts";
import { denoFs } from "../src/lib/files/fs.ts";
import { createApp as createAppOver } from "./app.tsx";
import type { GuardOptions } from "./access/guard.ts";
import { createSources } from "./run_sources.ts";

/**
 * Options of the status page.
 *
 * @example
 * ```ts
 * const options: AppOptions = { runsDir: "/data/runs", host: "gpu-box", token: crypto.randomUUID() };
 * ```
 */
export interface AppOptions extends Partial<GuardOptions> {
  /** Folder of the runs. Nothing outside it is read. @default "runs" */
  readonly runsDir?: string;
}

/**
 * The status page and its API as a Hono app. It only reads. Requests under other host names are
 * refused: those are `host` (127.0.0.1 unless it is given) and `names`. Time-outs and the number of
 * connections are those of your program.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createApp } from "@temper/temper/server";
 *
 * const runsDir = await Deno.makeTempDir();
 * const app = createApp({ runsDir });
 * const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.fetch);
 * const answer = await fetch(`http://127.0.0.1:${server.addr.port}/api/runs`);
 * assert.equal(answer.status, 200);
 * await answer.body?.cancel();
 * await server.shutdown();
 * await Deno.remove(runsDir);
 * ```
 */
export function createApp(options: AppOptions = {}): Hono {
  const { runsDir = "runs", host = "127.0.0.1", ...guard } = options;
  const cwd = resolve("");
  const sources = createSources(denoFs, systemClock, resolve(runsDir), { runs: runsDir, cwd });
  return createAppOver(sources, { ...guard, host });
}
