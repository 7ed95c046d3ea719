import assert from "../deps/assert.ts";
import fc from "fast-check";
import { createApp } from "../../server/mod.ts";
import { localPath } from "../../server/access/with_token.tsx";
import type { GuardOptions } from "../../server/access/guard.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { ManualClock } from "../ui/recorded.ts";
import { DONE, site } from "./kit.ts";

const TOKEN = "sixteen-letters!";
const RIGHT = { authorization: `Bearer ${TOKEN}` };
/** As a browser asks for a page over plain HTTP on a network: it then sends no Sec-Fetch-* headers. */
const HTML = { accept: "text/html,application/xhtml+xml", "upgrade-insecure-requests": "1" };

/** The server with a token, and a browser of which each header is known. */
async function locked(guard: Partial<GuardOptions> = {}) {
  const clock = Object.assign(new ManualClock(), { randomHex: systemClock.randomHex });
  const s = await site({ token: TOKEN, ...guard }, denoFs, clock);
  const from = (address: string) => ({ remoteAddr: { hostname: address } });
  return {
    ...s,
    clock,
    ask: (path: string, headers: Record<string, string> = {}, address = "10.0.0.1") =>
      Promise.resolve(
        s.app.request(path, { headers: { host: "localhost:8377", ...headers } }, from(address)),
      ),
    signIn: (token: string, next = "/", headers: Record<string, string> = {}, address = "10.0.0.1") => {
      const body = `${new URLSearchParams({ token, next })}`;
      const form = {
        "content-type": "application/x-www-form-urlencoded",
        "content-length": String(body.length),
      };
      const all = { host: "localhost:8377", ...HTML, ...form, ...headers };
      return Promise.resolve(
        s.app.request("/login", { method: "POST", body, headers: all }, from(address)),
      );
    },
  };
}

const cookieOf = (response: Response) => response.headers.get("set-cookie")!.split(";")[0]!;

Deno.test("with a token nothing is shown without it, and programs are told how to send it", async () => {
  await using s = await locked();
  for (const path of ["/", "/api/runs", "/api/openapi.json", "/runs/x", "/runs/x/events", "/?token=wrong"]) {
    const response = await s.ask(path);
    assert.equal(response.status, 401, path);
    assert.equal(response.headers.get("www-authenticate"), "Bearer", path);
    assert.equal(response.headers.get("cache-control"), "no-store", path);
  }
  assert.equal((await s.ask("/healthz")).status, 200);
  assert.equal((await s.ask("/api/runs", RIGHT)).status, 200);
  assert.equal((await s.ask("/api/runs", { authorization: `Bearer ${TOKEN.slice(0, -1)}` })).status, 401);
  assert.equal((await s.ask("/api/runs", { cookie: `temper_session_8377=${TOKEN}` })).status, 401);
  for (const method of ["POST", "PUT", "DELETE"]) {
    const request = { method, headers: { host: "localhost:8377", ...RIGHT } };
    assert.equal((await s.app.request("/api/runs", request)).status, 405, method);
    if (method !== "POST") assert.equal((await s.app.request("/login", request)).status, 405, method);
  }
});

Deno.test("a browser signs in with a form, gets a session that is not the token, and signs out", async () => {
  await using s = await locked();
  await s.addRun("20261122-080000-home-lora-aaaa", DONE);
  const asked = await s.ask("/?state=done", HTML);
  assert.equal(asked.status, 401);
  const form = await asked.text();
  assert.match(form, /<form class="sign-in" method="post" action="\/login">/);
  assert.match(form, /name="next" value="\/\?state=done"/);
  assert.doesNotMatch(form, /<script|home-lora/);
  const wrong = await s.signIn("wrong", "/?state=done");
  assert.equal(wrong.status, 401);
  assert.match(await wrong.text(), /role="alert">The token is wrong<.*value="\/\?state=done"/s);
  const entry = await s.signIn(` ${TOKEN}\n`, "/?state=done");
  assert.deepEqual([entry.status, entry.headers.get("location")], [303, "/?state=done"]);
  const cookie = entry.headers.get("set-cookie")!;
  assert.match(cookie, /^temper_session_8377=[0-9a-f]{64}; .*HttpOnly; SameSite=Lax/);
  assert.doesNotMatch(cookie, /Secure/);
  const policy = (await s.ask("/", RIGHT)).headers.get("content-security-policy");
  for (const { headers } of [asked, wrong, entry]) {
    assert.equal(headers.get("content-security-policy"), policy);
    assert.equal(headers.get("cache-control"), "no-store");
  }
  const page = await s.ask("/", { cookie: cookieOf(entry) });
  assert.match(await page.text(), /home-lora.*/);
  assert.match(await (await s.ask("/", { cookie: cookieOf(entry) })).text(), /action="\/logout"/);
  assert.doesNotMatch(await (await s.ask("/", RIGHT)).text(), /action="\/logout"/, "no session to end");
  assert.equal((await s.ask("/login", { cookie: cookieOf(entry) })).headers.get("location"), "/");
  const out = await s.app.request("/logout", {
    method: "POST",
    headers: { host: "localhost:8377", cookie: cookieOf(entry) },
  });
  assert.match(out.headers.get("set-cookie")!, /^temper_session_8377=; Max-Age=0/);
  assert.equal(
    (await s.ask("/", { cookie: cookieOf(entry) })).status,
    401,
    "it has ended for the server too",
  );
});

Deno.test("without a token there is nothing to sign in to, and no POST", async () => {
  await using s = await site();
  assert.equal((await s.get("/login")).status, 404);
  for (const path of ["/login", "/logout"]) {
    assert.equal((await s.app.request(path, { method: "POST", headers: { host: "localhost" } })).status, 405);
  }
  assert.doesNotMatch(await s.text("/"), /logout/);
});

Deno.test("a link with the token opens a session and leaves the address bar", async () => {
  await using s = await locked();
  const entry = await s.ask(`/?state=done&token=${encodeURIComponent(TOKEN)}`, HTML);
  assert.deepEqual([entry.status, entry.headers.get("location")], [303, "/?state=done"]);
  assert.equal(entry.headers.get("referrer-policy"), "same-origin");
  assert.ok(!cookieOf(entry).includes(TOKEN));
  assert.equal((await s.ask("/", { cookie: cookieOf(entry) })).status, 200);
  const wrong = await (await s.ask("/runs/x?token=wrong&rows=2", HTML)).text();
  assert.match(wrong, /The token is wrong.*name="next" value="\/runs\/x\?rows=2"/s);
  // An image on a page elsewhere is no visit, and its token is not even looked at.
  const image = { "sec-fetch-dest": "image", "sec-fetch-site": "cross-site" };
  const plain = { accept: "image/*" };
  for (const headers of [image, plain]) {
    assert.equal((await s.ask(`/?token=${TOKEN}`, headers)).headers.get("set-cookie"), null);
    for (let i = 0; i < 11; i++) assert.equal((await s.ask("/?token=wrong", headers)).status, 401);
  }
  assert.equal((await s.ask(`/?token=${TOKEN}`, { ...HTML, "sec-fetch-dest": "document" })).status, 303);
});

Deno.test("who has a session uses up no attempts with a link, and gets its address without the token", async () => {
  await using s = await locked();
  const cookie = cookieOf(await s.signIn(TOKEN));
  for (let i = 0; i < 12; i++) {
    const { status, headers } = await s.ask("/runs/x?token=old&rows=2", { ...HTML, cookie });
    assert.deepEqual([status, headers.get("location")], [303, "/runs/x?rows=2"]);
  }
  assert.equal((await s.ask("/api/runs", RIGHT)).status, 200);
});

Deno.test("after ten wrong tokens an address waits for each further one, and the right one waits too", async () => {
  await using s = await locked();
  const statuses = [];
  for (let i = 0; i < 12; i++) {
    statuses.push((await s.ask("/api/runs", { authorization: `Bearer wrong-${i}` })).status);
  }
  assert.deepEqual(statuses, [...Array(10).fill(401), 429, 429]);
  const waiting = await s.ask("/api/runs", RIGHT);
  assert.equal(waiting.status, 429);
  assert.equal(waiting.headers.get("retry-after"), "30");
  assert.deepEqual((await waiting.json()).error.code, "too-many-wrong-tokens");
  const page = await s.signIn(TOKEN);
  assert.deepEqual([page.status, page.headers.get("retry-after")], [429, "30"]);
  assert.match(await page.text(), /Too many wrong tokens: try again in 30 s/);
  assert.equal((await s.ask(`/?token=${TOKEN}`, HTML)).status, 429);
  assert.equal((await s.ask("/api/runs", RIGHT, "10.0.0.2")).status, 200, "another address");
  await s.clock.advance(30_000);
  assert.equal((await s.ask("/api/runs", { authorization: "Bearer wrong" })).status, 401);
  assert.equal((await s.ask("/api/runs", RIGHT)).status, 429);
  await s.clock.advance(30_000);
  assert.equal((await s.ask("/api/runs", RIGHT)).status, 200);
});

Deno.test("wrong tokens do not end sessions, and those from many addresses hold up only addresses that were never right", async () => {
  await using s = await locked();
  const cookie = cookieOf(await s.signIn(TOKEN, "/", {}, "10.1.0.1"));
  const wrong = async (address: string) =>
    (await s.ask("/api/runs", { authorization: "Bearer wrong" }, address)).status;
  const statuses = [];
  for (let i = 0; i < 101; i++) statuses.push(await wrong(`10.2.0.${i}`));
  assert.deepEqual(statuses, [...Array(100).fill(401), 429]);
  assert.equal((await s.ask("/api/runs", RIGHT, "10.3.0.1")).status, 429);
  assert.equal((await s.ask("/api/runs", RIGHT, "10.1.0.1")).status, 200, "it was right before");
  for (let i = 0; i < 11; i++) await wrong("10.1.0.1");
  assert.equal((await s.ask("/api/runs", RIGHT, "10.1.0.1")).status, 429);
  assert.equal((await s.ask("/", { cookie }, "10.1.0.1")).status, 200);
  await s.clock.advance(31 * 24 * 3600 * 1000);
  assert.equal((await s.ask("/", { cookie }, "10.1.0.1")).status, 401, "sessions end after 30 days");
});

Deno.test("the addresses of one IPv6 network count as one, those of two do not", async () => {
  await using s = await locked();
  const wrong = async (address: string) =>
    (await s.ask("/api/runs", { authorization: "Bearer wrong" }, address)).status;
  for (let i = 1; i <= 10; i++) await wrong(`2001:db8:0:1::${i.toString(16)}`);
  assert.equal(await wrong("2001:db8:0:1:ffff::1"), 429);
  assert.equal(await wrong("2001:db8:0:2::1"), 401);
  for (let i = 1; i <= 9; i++) await wrong("::ffff:10.0.0.9");
  assert.deepEqual([await wrong("10.0.0.9"), await wrong("::ffff:10.0.0.9")], [401, 429]);
});

Deno.test("X-Forwarded-For is believed only where it was asked for, and only its last entry", async () => {
  const last = async (guard: Partial<GuardOptions>, forwarded: (i: number) => string) => {
    await using s = await locked(guard);
    let status = 0;
    for (let i = 0; i < 11; i++) {
      const headers = { authorization: "Bearer wrong", "x-forwarded-for": forwarded(i) };
      status = (await s.ask("/api/runs", headers)).status;
    }
    return status;
  };
  assert.equal(await last({}, (i) => `10.9.9.${i}`), 429);
  assert.equal(await last({ trustProxy: true }, (i) => `10.9.9.${i}`), 401);
  assert.equal(await last({ trustProxy: true }, (i) => `10.9.9.${i}, 10.0.0.7`), 429);
  await using plain = await locked();
  await using proxied = await locked({ trustProxy: true });
  const https = { "x-forwarded-proto": "https" };
  assert.doesNotMatch((await plain.signIn(TOKEN, "/", https)).headers.get("set-cookie")!, /Secure/);
  assert.match((await proxied.signIn(TOKEN, "/", https)).headers.get("set-cookie")!, /Secure/);
});

Deno.test("only the page's own form signs in", async () => {
  await using s = await locked();
  const refused = [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    // Over plain HTTP on a network.
    { origin: "http://evil.example" },
    { origin: "http://localhost:3000" },
    { origin: "null" },
    { "content-type": "text/plain" },
    { "content-length": "5000" },
  ];
  for (const headers of refused) {
    assert.equal((await s.signIn(TOKEN, "/", headers)).status, 403, JSON.stringify(headers));
  }
  for (const headers of [{ "sec-fetch-site": "same-origin" }, { origin: "http://localhost:8377" }]) {
    assert.equal((await s.signIn(TOKEN, "/", headers)).status, 303, JSON.stringify(headers));
  }
});

Deno.test("no redirect leads to another host", async () => {
  await using s = await locked();
  const targets = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "///evil.example",
    "/.//evil.example",
    "/..//evil.example/",
    "/\t/evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "//user@evil.example",
    "",
  ];
  for (const next of targets) {
    const location = (await s.signIn(TOKEN, next)).headers.get("location")!;
    assert.match(location, /^\/(?![/\\])/, next);
    assert.equal(new URL(location, "http://localhost:8377").host, "localhost:8377", next);
  }
  for (const path of ["//evil.example/", "/.//evil.example/", "/%2f/evil.example/"]) {
    const request = new Request(`http://localhost:8377${path}?token=${TOKEN}`, {
      headers: { host: "localhost:8377", ...HTML },
    });
    const location = (await s.app.fetch(request)).headers.get("location")!;
    assert.equal(new URL(location, "http://localhost:8377").host, "localhost:8377", path);
  }
  fc.assert(fc.property(fc.string(), fc.constantFrom("", "/", "//", "/\\", "/./"), (text, start) => {
    assert.equal(new URL(localPath(start + text), "http://localhost").host, "localhost");
  }));
});

Deno.test("a token that can be guessed or not be sent is refused, with why", () => {
  for (
    const [token, why] of [
      ["short", /it has 5 characters, at least 16 are needed/],
      ["", /it has 0 characters/],
      ["sixteen letters!", /spaces/],
      ["sechzehn-Zeichen-ä", /outside ASCII/],
    ] as const
  ) assert.throws(() => createApp({ token }), why);
});
