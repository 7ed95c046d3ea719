import type { Context } from "../../src/deps/hono.ts";

export interface ProxyTrust {
  /** Whether X-Forwarded-For and X-Forwarded-Proto are believed. */
  readonly trustProxy: boolean;
}

export interface Client {
  /** "" where it is not known: all such clients count as one. */
  readonly address: string;
  /** Whether it is connected by HTTPS: to a proxy, as this server has none. */
  readonly isHttps: boolean;
}

/** Who sends a request. Anybody can write X-Forwarded-For: only what a trusted proxy has added to it counts. */
export function clientOf(c: Context, { trustProxy }: ProxyTrust): Client {
  const { remoteAddr } = (c.env ?? {}) as { readonly remoteAddr?: { readonly hostname?: string } };
  const own = remoteAddr?.hostname ?? "";
  if (!trustProxy) return { address: own, isHttps: false };
  return {
    address: lastOf(c.req.header("x-forwarded-for")) ?? own,
    isHttps: lastOf(c.req.header("x-forwarded-proto")) === "https",
  };
}

/** The nearest proxy appends to what it was sent. */
function lastOf(header: string | undefined): string | undefined {
  const last = header?.split(",").at(-1)?.trim();
  return last === "" ? undefined : last;
}
