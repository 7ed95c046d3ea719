import { join, relative, resolve } from "../deps/path.ts";
import { EXIT, TemperError, UsageError } from "../lib/errors.ts";
import { existingParent } from "../lib/files/folder.ts";
import type { Fs } from "../lib/files/fs.ts";
import { bytes } from "../lib/text/format.ts";
import { isLoopback } from "../lib/net/address.ts";
import { makeToken, tokenProblem } from "../lib/net/token.ts";
import { type Command, type CommandContext, RUNS_OPTION } from "../cli/command.ts";
import { startServer } from "../cli/serve_process.ts";

/** What `--token` says to have a token made. */
const AUTO = "auto";
/** Where the token can be given without being seen in the list of processes or the shell history. */
const TOKEN_VARIABLE = "TEMPER_SERVE_TOKEN";
const MOST_TOKEN_BYTES = 4096;

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
        "Token that visitors need, at least 16 characters; required when other machines can connect. auto " +
        `makes one and prints it once, in the page's address. Can also be set in ${TOKEN_VARIABLE}`,
    },
    "token-file": {
      type: "string",
      value: "FILE",
      help:
        "File that contains the token: unlike the command line, other users of this machine cannot see it",
    },
    name: {
      type: "string",
      multiple: true,
      value: "NAME",
      help: "Another host name of the server, such as that of a proxy in front of it",
    },
    "trust-proxy": {
      type: "boolean",
      help:
        "Believe X-Forwarded-For and X-Forwarded-Proto: only where a reverse proxy sets them and nobody " +
        "else can connect",
    },
  },
  details:
    "Only this machine can open the page unless --host is set. The server may read the runs' folder\n" +
    "and listen on its port; it cannot write files, start programs or open connections. Links that leave it\n" +
    "are not followed.\n\n" +
    "With a token, browsers get a page to sign in, and programs send the header Authorization: Bearer TOKEN. After\n" +
    "ten wrong tokens an address has to wait 30 seconds for each further one.\n\n`temper serve`\n" +
    "`temper serve --runs /data/runs --port 9000`\n" +
    "`temper serve --host 0.0.0.0 --token auto`",
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
    if (settings.isMade) url.searchParams.set("token", settings.token!);
    const { host, runs } = settings;
    if (values["json"]) terminal.out(`${JSON.stringify({ url: url.href, host, port: server.port, runs })}\n`);
    else {
      terminal.out(`${url.href}\n`);
      const made = settings.isMade ? " The token in the address is valid until then." : "";
      terminal.err(`Showing the runs in ${runs}. Press Ctrl-C to stop.${made}\n`);
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
async function settingsOf(context: CommandContext) {
  const { fs, cwd, values, invocation } = context;
  const { host, runs, name = [], "trust-proxy": trustProxy = false } = values as {
    readonly host: string;
    readonly runs: string;
    readonly name?: string[];
    readonly "trust-proxy"?: boolean;
  };
  const token = await tokenOf(context);
  if (!isLoopback(host) && token === undefined) {
    throw new UsageError(
      "no-token",
      `Cannot serve on "${host}" without a token: other machines can connect to it`,
      {
        hint:
          `Use --token auto, --token-file FILE or ${TOKEN_VARIABLE}, or omit --host to serve this machine only`,
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
    isMade: values["token"] === AUTO,
    names: name,
    trustProxy,
    runs,
    runsDir,
    cwd,
    invocation,
  };
}

/** The token that was asked for, checked. */
async function tokenOf({ fs, clock, cwd, env, values }: CommandContext): Promise<string | undefined> {
  const { token, "token-file": file } = values as {
    readonly token?: string;
    readonly "token-file"?: string;
  };
  if (token !== undefined && file !== undefined) {
    throw new UsageError("bad-option", "Cannot use --token together with --token-file");
  }
  if (token === AUTO) return makeToken(clock);
  const [given, from] = file !== undefined
    ? [await tokenIn(fs, resolve(cwd, file), file), `in "${file}"`]
    : token !== undefined
    ? [token, "in --token"]
    : [env[TOKEN_VARIABLE] || undefined, `in ${TOKEN_VARIABLE}`];
  const problem = given === undefined ? undefined : tokenProblem(given);
  if (problem === undefined) return given;
  throw new UsageError("bad-token", `Cannot use the token ${from}: ${problem}`, {
    hint: "--token auto makes a good one",
  });
}

/** What a file contains, without the end of its line. */
async function tokenIn(fs: Fs, path: string, shown: string): Promise<string> {
  const cannot = (found: string) =>
    new UsageError("bad-token", `Cannot read the token in "${shown}": ${found}`);
  const file = await fs.stat(path);
  if (!file) throw cannot("no such file");
  if (file.isDirectory) throw cannot("it is a folder");
  if (file.size > MOST_TOKEN_BYTES) throw cannot(`it has ${bytes(file.size)}, which is no token`);
  return (await fs.readText(path).catch((error) => {
    throw cannot(error instanceof Error ? error.message : String(error));
  })).replace(/\r?\n$/, "");
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
