/** A TCP proxy that can be told to break connections: what a network does to a server. */
export interface Proxy extends AsyncDisposable {
  readonly address: string;
  /** Connections that were broken. */
  readonly cuts: number;
}

export interface ProxyOptions {
  /** Of a request, such as "POST /api/create HTTP": after how many of its bytes the connection breaks. */
  cutAfter(head: string): number | undefined | Promise<number | undefined>;
}

export function startProxy(target: string, { cutAfter }: ProxyOptions): Proxy {
  const { hostname, port } = new URL(target);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  let cuts = 0;
  const serve = async (client: Deno.Conn) => {
    open.add(client);
    let server: Deno.Conn | undefined;
    try {
      server = await Deno.connect({ hostname, port: Number(port) });
      open.add(server);
      const answers = server.readable.pipeTo(client.writable).catch(() => {});
      let [sent, limit] = [0, undefined as number | undefined];
      for (let chunk = await more(client); chunk; chunk = await more(client)) {
        // A connection carries one request after the other.
        const head = new TextDecoder().decode(chunk.subarray(0, 300)).match(/^[A-Z]+ \S+ HTTP/)?.[0];
        if (head !== undefined) [sent, limit] = [0, await cutAfter(head)];
        if (limit === undefined || limit > 0) await writeAll(server, chunk);
        sent += chunk.length;
        if (limit !== undefined && sent >= limit) {
          cuts++;
          return;
        }
      }
      await server.closeWrite();
      await answers;
    } catch {
      // either side has gone: so does the other
    } finally {
      for (const side of [client, server]) {
        if (side) open.delete(side);
        try {
          side?.close();
        } catch {
          // closed by its stream
        }
      }
    }
  };
  const accepting = (async () => {
    for await (const client of listener) serve(client);
  })();
  return {
    address: `http://127.0.0.1:${listener.addr.port}`,
    get cuts() {
      return cuts;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting.catch(() => {});
      for (const side of open) {
        try {
          side.close();
        } catch {
          // closed already
        }
      }
    },
  };
}

async function more(conn: Deno.Conn): Promise<Uint8Array | undefined> {
  const chunk = new Uint8Array(65_536);
  const length = await conn.read(chunk);
  return length === null ? undefined : chunk.subarray(0, length);
}

async function writeAll(conn: Deno.Conn, chunk: Uint8Array): Promise<void> {
  for (let rest = chunk; rest.length > 0;) rest = rest.subarray(await conn.write(rest));
}
