import { isIP } from "node:net";
import { fileURLToPath } from "node:url";
import type { Invocation } from "../lib/text/invocation.ts";
import { TemperError } from "../lib/errors.ts";

export interface ServerSettings {
  readonly host: string;
  /** The address that host stands for, once that is known. */
  readonly address?: string;
  /** 0: a free one. */
  readonly port: number;
  readonly token: string | undefined;
  readonly names: readonly string[];
  readonly trustProxy: boolean;
  /** The folder of the runs as its user calls it, and where that is. */
  readonly runs: string;
  readonly runsDir: string;
  readonly cwd: string;
  readonly invocation: Invocation;
}

export interface ServerProcess {
  /** The port it listens on. */
  readonly port: number;
  readonly ended: Promise<{ readonly success: boolean }>;
}

const MAIN = new URL("../../server/main.ts", import.meta.url);
const CONFIG = new URL("../../deno.json", import.meta.url);

/**
 * Starts the server with the permissions it needs for these settings and no others. That is why it is a process of
 * its own: this process could not drop its permissions. Resolves once it listens.
 */
export async function startServer(settings: ServerSettings, signal: AbortSignal): Promise<ServerProcess> {
  const isLocal = MAIN.protocol === "file:";
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      // While a long log is read, V8 would let 90 MB of garbage pile up on 28 MB in use before it collects any. With
      // a thousand streams, a smaller space for new objects saves 40 MB more.
      "--v8-flags=--heap-growing-percent=50,--max-semi-space-size=4",
      ...isLocal ? [`--config=${fileURLToPath(CONFIG)}`] : ["--no-config", "--no-lock"],
      `--allow-read=${settings.runsDir}`,
      `--allow-net=${netPermission(settings)}`,
      isLocal ? fileURLToPath(MAIN) : MAIN.href,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const stop = () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended by itself.
    }
  };
  signal.addEventListener("abort", stop, { once: true });
  // Kept open: the server ends when this process does, however it ends.
  const stdin = child.stdin.getWriter();
  await stdin.write(new TextEncoder().encode(`${JSON.stringify(settings)}\n`)).catch(() => {});
  const said = await firstLine(child.stdout);
  const { port, address, error } = said === ""
    ? { port: undefined, error: "the server exited immediately" }
    : JSON.parse(said);
  // It listens on addresses only, and needs the permission for the one that the name stands for.
  if (typeof address === "string" && !signal.aborted) {
    await child.status;
    signal.removeEventListener("abort", stop);
    return await startServer({ ...settings, address }, signal);
  }
  if (typeof port !== "number") {
    await child.status;
    throw cannotServe(settings, String(error));
  }
  return { port, ended: child.status };
}

/** To listen on its port. Where the host is a name, first to ask what that stands for. */
function netPermission({ host, address = host, port }: ServerSettings): string {
  return isIP(address) === 0 ? address : netAddress(address, port);
}

function netAddress(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

async function firstLine(stdout: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const piece of stdout.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.includes("\n")) break;
  }
  return text.trim();
}

function cannotServe(settings: ServerSettings, error: string): TemperError {
  const at = netAddress(settings.host, settings.port);
  if (error === "EADDRINUSE") {
    return new TemperError("address-in-use", `Cannot serve on ${at}: the port is in use`, {
      hint: "--port 0 picks a free port",
    });
  }
  return new TemperError("cannot-serve", `Cannot serve on ${at}: ${error}`);
}
