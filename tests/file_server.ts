import { join } from "../src/deps/path.ts";

const TYPES: Readonly<Record<string, string>> = {
  ts: "application/typescript",
  tsx: "text/tsx",
  js: "text/javascript",
  json: "application/json",
};

export interface FileServer extends AsyncDisposable {
  /** Ends with a slash. */
  readonly url: string;
}

/** Serves the files of a folder, as modules where they are some. `answer` may give another text for a path. */
export function serveFiles(root: string, answer?: (path: string) => string | undefined): FileServer {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname).slice(1);
    const type = TYPES[path.split(".").at(-1) ?? ""] ?? "text/plain; charset=utf-8";
    try {
      const body = answer?.(path) ?? await Deno.readFile(join(root, path));
      return new Response(body, { headers: { "content-type": type } });
    } catch {
      return new Response("not found", { status: 404 });
    }
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
