import assert from "../deps/assert.ts";
import { type Answer, listen } from "../../server/access/http_server.ts";
import { until } from "../until.ts";

const LIMITS = { headersMs: 400, requestMs: 800, takeMs: 1500, connections: 20 };

async function serving(answer: Answer) {
  return await listen(answer, { host: "127.0.0.1", port: 0, limits: LIMITS });
}

/** What comes back on a connection of its own until the server closes it. */
async function exchange(port: number, ...pieces: readonly string[]): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  for (const piece of pieces) await connection.write(new TextEncoder().encode(piece));
  let text = "";
  const buffer = new Uint8Array(65_536);
  for (let n; (n = await connection.read(buffer).catch(() => null)) !== null;) {
    text += new TextDecoder().decode(buffer.subarray(0, n));
  }
  return text;
}

const whole = (line: string, ...headers: readonly string[]) =>
  `${[line, "Host: localhost", "Connection: close", ...headers].join("\r\n")}\r\n\r\n`;

const FOREVER = 600_000;

Deno.test("a connection that says nothing or half of its headers is closed, and others are answered", async () => {
  const limits = { ...LIMITS, requestMs: FOREVER, takeMs: FOREVER };
  await using server = await listen(() => new Response("here"), { host: "127.0.0.1", port: 0, limits });
  const slow = [
    exchange(server.port),
    exchange(server.port, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "),
  ];
  assert.match(await exchange(server.port, whole("GET / HTTP/1.1")), /^HTTP\/1\.1 200 OK\r\n.*here/s);
  for (const answer of await Promise.all(slow)) assert.doesNotMatch(answer, /200 OK/);
});

Deno.test("a connection that sends half of its form is closed", async () => {
  const limits = { ...LIMITS, takeMs: FOREVER };
  await using server = await listen(() => new Response("here"), { host: "127.0.0.1", port: 0, limits });
  const form = "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n";
  assert.doesNotMatch(await exchange(server.port, form, "token="), /200 OK/);
});

Deno.test("a client that takes nothing is disconnected, and what is made for it ends", async () => {
  let made = 0;
  let ended = false;
  const endless = () =>
    new ReadableStream({
      pull: (controller) => (made++, controller.enqueue(new Uint8Array(65_536))),
      cancel: () => void (ended = true),
    }, { highWaterMark: 0 });
  await using server = await serving(() => new Response(endless()));
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await connection.write(new TextEncoder().encode(whole("GET / HTTP/1.1")));
  await until("the end of the stream", () => ended, 20_000);
  const then = made;
  // What the kernel takes on both sides, and not what the server could make in a second.
  assert.ok(made < 500, `${made} pieces were made`);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(made, then);
});

Deno.test("the app sees a request's path as it was sent, and the address it came from", async () => {
  const seen: string[] = [];
  await using server = await serving((request, { remoteAddr }) => {
    const { host, pathname, search } = new URL(request.url);
    seen.push(`${request.method} ${host} ${pathname}${search} ${remoteAddr.hostname}`);
    return new Response(request.method === "HEAD" ? null : "here", { headers: { "Set-Cookie": "a=1" } });
  });
  for (const target of ["/a?b=c", "//evil.example/a", "http://evil.example/a?b", "/%2e%2e/x"]) {
    assert.match(await exchange(server.port, whole(`GET ${target} HTTP/1.1`)), /set-cookie: a=1/i, target);
  }
  assert.doesNotMatch(await exchange(server.port, whole("HEAD / HTTP/1.1")), /here/);
  assert.deepEqual(seen, [
    "GET localhost /a?b=c 127.0.0.1",
    "GET localhost //evil.example/a 127.0.0.1",
    "GET localhost /a?b 127.0.0.1",
    "GET localhost /x 127.0.0.1",
    "HEAD localhost / 127.0.0.1",
  ]);
});

Deno.test("what is no request to a page is refused", async () => {
  await using server = await serving(async (request) => new Response(await request.text()));
  const form = (bytes: number) =>
    whole("POST /login HTTP/1.1", `Content-Length: ${bytes}`) + "x".repeat(bytes);
  assert.match(await exchange(server.port, form(4096)), /^HTTP\/1\.1 200 .*x{4096}/s);
  const refused = [
    form(4097),
    whole("TRACE / HTTP/1.1"),
    "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n",
    "nonsense\r\n\r\n",
    `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
  ];
  for (const request of refused) {
    assert.match(await exchange(server.port, request), /^(HTTP\/1\.1 4\d\d |$)/, request.slice(0, 60));
  }
  assert.match(await exchange(server.port, form(1)), / 200 /);
});

Deno.test("no more connections than it takes are kept, and there is room again when they have gone", async () => {
  await using server = await serving(() => new Response("here"));
  const answer = () => exchange(server.port, whole("GET / HTTP/1.1"));
  const open = await Promise.all(
    Array.from({ length: 20 }, () => Deno.connect({ hostname: "127.0.0.1", port: server.port })),
  );
  // Each is known to the server once it has answered.
  for (const connection of open) {
    await connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    await connection.read(new Uint8Array(1000));
  }
  assert.equal(await answer(), "");
  open[0]!.close();
  await until("room for one more", async () => (await answer()).includes("here"), 10_000);
  for (const connection of open.slice(1)) connection.close();
});

Deno.test("what is made for a client ends when it leaves", async () => {
  let ended = false;
  const waiting = () => new ReadableStream({ cancel: () => void (ended = true) });
  const limits = { ...LIMITS, takeMs: FOREVER };
  await using server = await listen(() => new Response(waiting()), { host: "127.0.0.1", port: 0, limits });
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  await connection.read(new Uint8Array(1000));
  assert.equal(ended, false);
  connection.close();
  await until("the end of the stream", () => ended, 10_000);
});

Deno.test("what is made for a client that leaves before its answer ends too", async () => {
  const asked = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  let ended = false;
  const waiting = () => new ReadableStream({ cancel: () => void (ended = true) });
  const limits = { ...LIMITS, takeMs: FOREVER };
  await using server = await listen(async () => {
    asked.resolve();
    await left.promise;
    return new Response(waiting());
  }, { host: "127.0.0.1", port: 0, limits });
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await connection.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  await asked.promise;
  connection.close();
  // The server hears of it.
  await new Promise((resolve) => setTimeout(resolve, 50));
  left.resolve();
  await until("the end of the stream", () => ended, 10_000);
});
