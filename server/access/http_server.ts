import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** A request's headers, and the whole of it, are there by then: whoever sends them slowly is disconnected. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 20_000;
/** A connection between two requests. */
const KEEP_ALIVE_MS = 10_000;
/** Until a client has taken what it was sent, before there is more of it. */
const TAKE_MS = 120_000;
const LOOK_MS = 1000;
/** At once. More would use up the files that the process may open, and node:http then accepts none any more. */
const MOST_CONNECTIONS = 2000;
/** The only requests with a body are forms. */
const MOST_BODY = 4096;

/** An app: a function from request to response. `env` tells it who asks. */
export type Answer = (
  request: Request,
  env: { readonly remoteAddr: { readonly hostname: string } },
) => Response | Promise<Response>;

export interface ListenOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** @default 10 s for the headers, 20 s for a request, 120 s to take a piece of an answer, 2000 connections */
  readonly limits?: {
    readonly headersMs: number;
    readonly requestMs: number;
    readonly takeMs: number;
    readonly connections: number;
  };
}

export interface Listening extends AsyncDisposable {
  readonly port: number;
}

/**
 * Serves an app on an address, until it is disposed. It is node:http rather than Deno.serve, which waits for a
 * request's headers for ever, and buffers 240 kB for each client that reads slowly.
 */
export function listen(answer: Answer, { host, port, limits }: ListenOptions): Promise<Listening> {
  const server = createServer({
    headersTimeout: limits?.headersMs ?? HEADERS_MS,
    requestTimeout: limits?.requestMs ?? REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: LOOK_MS,
  }, (message, response) => {
    respond(answer, message, response, limits?.takeMs ?? TAKE_MS).catch(() => response.destroy());
  });
  let connections = 0;
  server.on("connection", (socket) => {
    if (++connections > (limits?.connections ?? MOST_CONNECTIONS)) socket.destroy();
    socket.once("close", () => connections--);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () =>
      resolve({
        port: (server.address() as { readonly port: number }).port,
        async [Symbol.asyncDispose]() {
          const closed = new Promise((resolve) => server.close(resolve));
          server.closeAllConnections();
          await closed;
        },
      }));
  });
}

async function respond(
  answer: Answer,
  message: IncomingMessage,
  response: ServerResponse,
  takeMs: number,
): Promise<void> {
  const request = await requestOf(message);
  if (!request) {
    response.writeHead(400, { "Content-Type": "text/plain", Connection: "close" });
    response.end("Cannot read the request\n");
    return;
  }
  const hostname = message.socket.remoteAddress ?? "";
  await send(await answer(request, { remoteAddr: { hostname } }), response, takeMs);
}

/** Undefined for what is no request to a page: a method, an address or a body that none of them has. */
async function requestOf(message: IncomingMessage): Promise<Request | undefined> {
  const { method = "GET", headers } = message;
  const body = await bodyOf(message);
  const url = addressOf(message.url ?? "/", headers.host ?? "localhost");
  if (!body || !url) return undefined;
  const own = new Headers();
  for (let i = 0; i < message.rawHeaders.length; i += 2) {
    own.append(message.rawHeaders[i]!, message.rawHeaders[i + 1]!);
  }
  const hasBody = method !== "GET" && method !== "HEAD" && body.length > 0;
  try {
    return new Request(url, { method, headers: own, ...hasBody && { body } });
  } catch {
    return undefined;
  }
}

/** What a request is for. Only its path is looked at: "//name/path" is one, and no name of a host. */
function addressOf(target: string, host: string): URL | undefined {
  if (target.startsWith("/")) return URL.parse(`http://${host}${target}`) ?? undefined;
  const whole = URL.parse(target);
  return whole ? URL.parse(`http://${host}${whole.pathname}${whole.search}`) ?? undefined : undefined;
}

/** Undefined when it is too large. */
async function bodyOf(message: IncomingMessage): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of message) {
    size += chunk.length;
    if (size > MOST_BODY) return undefined;
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** Never asks for more of the body before the client has taken what there was. */
async function send(
  { status, headers, body }: Response,
  response: ServerResponse,
  takeMs: number,
): Promise<void> {
  // It has left before it was answered.
  if (response.destroyed) return await body?.cancel();
  for (const [name, value] of headers) response.appendHeader(name, value);
  response.writeHead(status);
  if (body) {
    response.flushHeaders();
    const reader = body.getReader();
    response.once("close", () => void reader.cancel().catch(() => {}));
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done || response.destroyed) break;
        if (!response.write(value)) await taken(response, "drain", takeMs);
      }
    } finally {
      reader.cancel().catch(() => {});
    }
  }
  const finished = taken(response, "finish", takeMs);
  response.end();
  await finished;
}

/** Until the client has taken what it was sent, or the connection has closed: it is closed when that takes too long. */
function taken(response: ServerResponse, event: "drain" | "finish", ms: number): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => response.destroy(), ms);
    const done = () => {
      clearTimeout(late);
      response.off(event, done);
      response.off("close", done);
      resolve();
    };
    response.once(event, done);
    response.once("close", done);
    if (response.destroyed) done();
  });
}
