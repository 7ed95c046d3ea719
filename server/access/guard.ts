import { isIP } from "node:net";
import type { MiddlewareHandler } from "../../src/deps/hono.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { isLoopback } from "../../src/lib/net/address.ts";
import { errorBody } from "./error_body.ts";
import { SIGN_IN, SIGN_OUT, withToken } from "./with_token.tsx";

const LOOPBACK = ["localhost", "127.0.0.1", "::1"];

export interface GuardOptions {
  /** Name or address the server listens on. */
  readonly host: string;
  /** Names it may be called by beside that one. */
  readonly names?: readonly string[] | undefined;
  /** What a client has to show, at least 16 characters; undefined: nothing. */
  readonly token?: string | undefined;
  /**
   * Whether a reverse proxy is the only one that can connect. What it says of its clients (X-Forwarded-For,
   * X-Forwarded-Proto) is believed then. @default false
   */
  readonly trustProxy?: boolean | undefined;
}

/**
 * Only lets GET and HEAD through, and only under the server's own names: a page of another site whose name was made to
 * resolve to this machine (DNS rebinding) is refused. With a token, signing in and out are the only POSTs.
 */
export function guard(options: GuardOptions, clock: Clock): MiddlewareHandler {
  const isKnown = hostCheck(options);
  const { token, trustProxy = false } = options;
  const posts = token === undefined ? [] : [SIGN_IN, SIGN_OUT];
  const admit = token === undefined ? undefined : withToken({ token, trustProxy }, clock);
  return async (c, next) => {
    const { method } = c.req;
    const reads = method === "GET" || method === "HEAD";
    if (!reads && !(method === "POST" && posts.includes(c.req.path))) {
      return c.json(errorBody("read-only", `Cannot ${method}: this server is read-only`), 405, {
        Allow: "GET, HEAD",
      });
    }
    const host = c.req.header("host") ?? new URL(c.req.url).host;
    if (!isKnown(host)) {
      const message = `Cannot answer as "${host}": it is not one of this server's names`;
      const hint = "Add the name with --name";
      return c.json(errorBody("unknown-host", message, hint), 421);
    }
    return await (admit?.(c, next) ?? next());
  };
}

function hostCheck({ host, names = [] }: GuardOptions): (header: string) => boolean {
  const known = new Set([...LOOPBACK, host, ...names].map((name) => name.toLowerCase()));
  // Listening for other machines, every address of this one is its own; an address cannot be rebound.
  const anyAddress = !isLoopback(host);
  return (header) => {
    const name = hostname(header);
    return name !== undefined && (known.has(name) || (anyAddress && isIP(name) !== 0));
  };
}

/** The name in a Host header, without its port and the brackets of IPv6. */
function hostname(header: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))(?::\d{1,5})?$/.exec(header) ?? [];
  return (bracketed ?? plain)?.toLowerCase().replace(/\.$/, "");
}
