import { join, relative, resolve } from "../deps/path.ts";
import { EXIT, TemperError, UsageError } from "../lib/errors.ts";
import { existingParent } from "../lib/files/folder.ts";
import type { Fs } from "../lib/files/fs.ts";
import { isLoopback } from "../lib/net/address.ts";
import { type Command, type CommandContext, RUNS_OPTION } from "../cli/command.ts";
import { startServer } from "../cli/serve_process.ts";

/** Where the token can be given without ending up in the shell history. */
const TOKEN_VARIABLE = "TEMPER_SERVE_TOKEN";

export const serve: Command = {
  name: "serve",
  summary: "Serve a read-only status page of the runs",
  usage: "",
  positionals: [0, 0],
  options: {
    runs: RUNS_OPTION,
    host: { type: "string", default: "127.0.0.1", value: "H", help: "Address or name to listen on" },
    port: { type: "string", default: "8377", value: "N", help: "Port to listen on; 0 picks a free one" },
    token: {
      type: "string",
      value: "TOKEN",
      help:
        `Token that visitors need; required when other machines can connect. Can also be set in ${TOKEN_VARIABLE}`,
    },
    name: {
      type: "string",
      multiple: true,
      value: "NAME",
      help: "Another host name of the server, such as that of a proxy in front of it",
    },
  },
  details:
    "Only this machine can open the page unless --host is set. The server may read the runs' folder\n" +
    "and listen on its port; it cannot write files, start programs or open connections. Links that leave it\n" +
    "are not followed.\n\n`temper serve`\n" +
    "`temper serve --runs /data/runs --port 9000`",
  async run(context) {
    const { terminal, values } = context;
    const settings = await settingsOf(context);
    const end = new AbortController();
    let interrupted = false;
    context.onInterrupt((signal) => {
      interrupted = signal === "SIGINT";
      end.abort();
    });
    const server = await startServer(settings, end.signal);
    const url = new URL(`http://${settings.host.includes(":") ? `[${settings.host}]` : settings.host}`);
    url.port = String(server.port);
    if (settings.token !== undefined) url.searchParams.set("token", settings.token);
    const { host, runs } = settings;
    if (values["json"]) terminal.out(`${JSON.stringify({ url: url.href, host, port: server.port, runs })}\n`);
    else {
      terminal.out(`${url.href}\n`);
      terminal.err(`Showing the runs in ${runs}. Press Ctrl-C to stop.\n`);
    }
    const { success } = await server.ended;
    if (interrupted) return EXIT.interrupted;
    if (!success && !end.signal.aborted) {
      throw new TemperError("server-ended", "Cannot continue serving: the server's process has exited");
    }
    return EXIT.ok;
  },
};

/** Settings of the server, checked. */
async function settingsOf({ fs, cwd, env, values, invocation }: CommandContext) {
  const { host, runs, token: given = env[TOKEN_VARIABLE], name = [] } = values as {
    readonly host: string;
    readonly runs: string;
    readonly token?: string;
    readonly name?: string[];
  };
  const token = given === "" ? undefined : given;
  if (!isLoopback(host) && token === undefined) {
    throw new UsageError(
      "no-token",
      `Cannot serve on "${host}" without a token: other machines can connect to it`,
      {
        hint: `Set one with --token or ${TOKEN_VARIABLE}, or omit --host to serve this machine only`,
      },
    );
  }
  const runsDir = await withoutLinks(resolve(cwd, runs), fs);
  // What the server's process may read is a list with commas between its folders.
  if (runsDir.includes(",")) {
    throw new UsageError("bad-option", `Cannot serve "${runs}": the path contains a comma`, {
      hint: "Rename the folder",
    });
  }
  return {
    host,
    port: portOf(values["port"] as string),
    token,
    names: name,
    runs,
    runsDir,
    cwd,
    invocation,
  };
}

/** Deno compares what is opened with what may be read by the paths that both have without links. */
async function withoutLinks(path: string, fs: Fs): Promise<string> {
  const parent = await existingParent(fs, path);
  return join(await fs.realPath(parent), relative(parent, path));
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new UsageError("bad-option", `Cannot read --port "${text}": not a port between 0 and 65535`);
}
