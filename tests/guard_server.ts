/** A server before another one that lets in who knows the password, and quotes to the others all that they sent. */
export interface Guard extends AsyncDisposable {
  readonly port: number;
  /** What was let in: method and path. */
  readonly let: string[];
  /** What was not. */
  readonly kept: string[];
}

export interface GuardOptions {
  /** Where the other one is. */
  readonly target: string;
  /** What comes before its own paths. @default nothing */
  readonly prefix?: string;
  /** What it shows the other one instead of what it was shown. */
  readonly authorization?: string;
  /** Whether a request is let in. */
  allows(request: { readonly authorization: string | null; readonly query: URLSearchParams }): boolean;
}

export function startGuard({ target, prefix = "", authorization: own, allows }: GuardOptions): Guard {
  const [passed, kept]: [string[], string[]] = [[], []];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    const authorization = request.headers.get("authorization");
    const called = `${request.method} ${pathname}`;
    if (!pathname.startsWith(`${prefix}/`)) {
      return new Response("<!doctype html><p>Nothing here</p>", {
        status: 404,
        headers: { "content-type": "text/html" },
      });
    }
    if (!allows({ authorization, query: searchParams })) {
      kept.push(called);
      await request.body?.cancel();
      const quoted = `no ${authorization} for ${request.url} ${decodeURIComponent(request.url)}`;
      return Response.json({ error: { message: quoted, code: null } }, { status: 401 });
    }
    passed.push(called);
    const { body, method, headers } = request;
    const forwarded = new Headers(headers);
    forwarded.delete("host");
    if (own !== undefined) forwarded.set("authorization", own);
    const answer = await fetch(`${target}${pathname.slice(prefix.length)}`, {
      method,
      headers: forwarded,
      redirect: "manual",
      ...body && { body },
    });
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  });
  return {
    port: server.addr.port,
    let: passed,
    kept,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Every form in which a password may show. */
export function formsOf(user: string, password: string): string[] {
  return [password, encodeURIComponent(password), btoa(`${user}:${password}`)];
}
