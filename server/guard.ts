import { isIP } from "node:net";
import { getCookie, type MiddlewareHandler, setCookie, timingSafeEqual } from "../src/deps/hono.ts";
import { isLoopback } from "../src/lib/net/address.ts";

const COOKIE = "temper_token";
const LOOPBACK = ["localhost", "127.0.0.1", "::1"];

export interface GuardOptions {
  /** Name or address the server listens on. */
  readonly host: string;
  /** Names it may be called by beside that one. */
  readonly names?: readonly string[] | undefined;
  /** What a client has to show; undefined: nothing. */
  readonly token?: string | undefined;
}

/**
 * Only lets GET and HEAD through, and only under the server's own names: a page of another site whose name was made to
 * resolve to this machine (DNS rebinding) is refused.
 */
export function guard(options: GuardOptions): MiddlewareHandler {
  const isKnown = hostCheck(options);
  return async (c, next) => {
    if (c.req.method !== "GET" && c.req.method !== "HEAD") {
      return c.json(errorBody("read-only", `Cannot ${c.req.method}: this server is read-only`), 405, {
        Allow: "GET, HEAD",
      });
    }
    const host = c.req.header("host") ?? new URL(c.req.url).host;
    if (!isKnown(host)) {
      const message = `Cannot answer as "${host}": it is not one of this server's names`;
      const hint = "Add the name with --name";
      return c.json(errorBody("unknown-host", message, hint), 421);
    }
    if (options.token === undefined || new URL(c.req.url).pathname === "/healthz") return await next();
    return await withToken(c, next, options.token);
  };
}

export function errorBody(code: string, message: string, hint?: string) {
  return { error: { code, message, hint: hint ?? null } };
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

/** From a header for programs, from a cookie for browsers, and once from the address, which then becomes the cookie. */
const withToken = async (
  c: Parameters<MiddlewareHandler>[0],
  next: Parameters<MiddlewareHandler>[1],
  token: string,
) => {
  const url = new URL(c.req.url);
  const given = url.searchParams.get("token");
  if (given !== null && await timingSafeEqual(given, token)) {
    url.searchParams.delete("token");
    setCookie(c, COOKIE, token, { httpOnly: true, sameSite: "Strict", path: "/", maxAge: 30 * 24 * 3600 });
    return c.redirect(url.pathname + url.search);
  }
  const bearer = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1];
  const shown = bearer ?? getCookie(c, COOKIE);
  if (shown !== undefined && await timingSafeEqual(shown, token)) return await next();
  const hint = "Open the address that the server printed, or send the header: Authorization: Bearer TOKEN";
  return c.json(errorBody("no-token", "Cannot show this: the token is missing or wrong", hint), 401, {
    "WWW-Authenticate": "Bearer",
  });
};
