/** Very many browsers that all read one run's events. */
const READ_MS = 20_000;

export interface Crowd extends Disposable {
  /** How many have been sent something. */
  readonly served: number;
  readonly bytes: number;
}

/** Opens the run's events at each of the bytes `starts`, and reads what comes for a while. */
export async function gather(server: string, run: string, starts: readonly number[]): Promise<Crowd> {
  const { hostname, port, host } = new URL(server);
  const all: Deno.TcpConn[] = [];
  for (const from of starts) {
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const request = `GET /runs/${run}/events?from=${from} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    all.push(connection);
  }
  const sizes = all.map(() => 0);
  let over = false;
  const begun = Promise.withResolvers<void>();
  const reading = all.map(async (connection, i) => {
    const buffer = new Uint8Array(16 * 1024);
    for (let n; !over && (n = await connection.read(buffer).catch(() => null)) !== null;) {
      sizes[i]! += n;
      if (i === 0) begun.resolve();
    }
    begun.resolve();
  });
  // The server reads the whole log before it sends anything.
  await begun.promise;
  await new Promise((resolve) => setTimeout(resolve, READ_MS));
  return {
    served: sizes.filter((size) => size > 1000).length,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    [Symbol.dispose]() {
      over = true;
      for (const connection of all) connection.close();
      void Promise.all(reading);
    },
  };
}
