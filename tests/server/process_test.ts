import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { VERSION } from "../../src/lib/version.ts";
import { temper } from "../commands/cli_kit.ts";
import { logText, recorded } from "../ui/recorded.ts";
import { until } from "../until.ts";
import { DONE, messages } from "./kit.ts";
import { serve, type Serving } from "./serve.ts";

const PERMISSIONS = ["--allow-read", "--allow-run", "--allow-env"];

const TOKEN = "only-for-this-test";

interface Server extends Serving {
  readonly dir: string;
}

/** The real command in a folder of its own, with one run in it. */
async function server(...args: string[]): Promise<Server> {
  const dir = await Deno.makeTempDir({ prefix: "temper-serve-" });
  const run = join(dir, "my runs", "20261122-080000-home-lora-3fa2");
  await Deno.mkdir(run, { recursive: true });
  await Deno.writeTextFile(join(run, "events.jsonl"), logText(recorded(DONE)));
  const serving = await serve("my runs", { cwd: dir, args });
  return {
    ...serving,
    dir,
    async [Symbol.asyncDispose]() {
      await serving[Symbol.asyncDispose]();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** Processes of the server itself, by the address they were allowed to listen on. */
async function serverProcesses(dir: string): Promise<string[][]> {
  const found = [];
  for await (const { name } of Deno.readDir("/proc")) {
    const line = /^\d+$/.test(name) ? await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "") : "";
    const words = line.split("\0");
    if (words.some((word) => word.endsWith("server/main.ts")) && line.includes(dir)) found.push(words);
  }
  return found;
}

Deno.test("serve answers, follows, and ends with exit code 130 at Ctrl-C", async () => {
  await using served = await server();
  assert.deepEqual(await (await fetch(new URL("/healthz", served.url))).json(), {
    ok: true,
    version: VERSION,
  });
  assert.match(await (await fetch(served.url)).text(), /home-lora/);
  const events = await fetch(new URL("/runs/20261122-080000-home-lora-3fa2/events", served.url));
  assert.equal((await messages(events.body!, DONE.length)).length, DONE.length);
  served.command.kill("SIGINT");
  assert.equal((await served.command.status).code, 130);
});

Deno.test(
  "serve may read the runs and listen on its port, and nothing else",
  { ignore: Deno.build.os !== "linux" },
  async () => {
    await using served = await server("--token", TOKEN);
    const [words, ...others] = await serverProcesses(served.dir);
    assert.equal(others.length, 0);
    const allowed = words!.filter((word) => word.startsWith("--allow") || word === "-A");
    assert.deepEqual(allowed, [`--allow-read=${join(served.dir, "my runs")}`, "--allow-net=127.0.0.1:0"]);
    assert.ok(words!.includes("--no-prompt"));
    assert.ok(!words!.join(" ").includes(TOKEN), "the token is in no list of processes");
    assert.equal((await fetch(new URL("/", served.url).origin)).status, 401);
    assert.ok(!served.url.includes(TOKEN), "a token of one's own is not printed");
    const headers = { authorization: `Bearer ${TOKEN}` };
    assert.equal((await fetch(new URL("/api/runs", served.url), { headers })).status, 200);
  },
);

Deno.test(
  "serve listens on the address that a name stands for, and may use no other",
  { ignore: Deno.build.os !== "linux" },
  async () => {
    await using served = await server("--host", "localhost");
    assert.equal(new URL(served.url).hostname, "localhost");
    assert.equal((await fetch(served.url)).status, 200);
    const [words] = await serverProcesses(served.dir);
    const [net] = words!.filter((word) => word.startsWith("--allow-net"));
    assert.match(net!, /^--allow-net=(127\.0\.0\.1|\[::1\]):0$/);
    const nowhere = await temper(["serve", "--host", "no.such.name.invalid", "--token", "auto"], {
      permissions: PERMISSIONS,
    });
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.err, /^Cannot serve on no\.such\.name\.invalid:8377: .*ENOTFOUND|EAI_AGAIN/);
  },
);

Deno.test("serve makes a token and prints it once, or takes one from a file or the environment", async () => {
  // As a browser does.
  const visit = (url: string) =>
    fetch(url, { redirect: "manual", headers: { "upgrade-insecure-requests": "1" } });
  {
    await using served = await server("--token", "auto");
    const token = new URL(served.url).searchParams.get("token")!;
    assert.match(token, /^[0-9a-f]{48}$/);
    const entry = await visit(served.url);
    assert.equal(entry.headers.get("location"), "/");
    const cookie = entry.headers.get("set-cookie")!.split(";")[0]!;
    assert.equal((await fetch(new URL("/", served.url).origin, { headers: { cookie } })).status, 200);
    const page = await fetch(new URL("/", served.url).origin, { headers: { accept: "text/html" } });
    assert.equal(page.status, 401);
    assert.match(await page.text(), /<form class="sign-in" method="post"/);
    const form = { method: "POST", redirect: "manual", body: new URLSearchParams({ token }) } as const;
    assert.equal((await fetch(new URL("/login", served.url), form)).status, 303);
  }
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, `${TOKEN}\n`);
  await using served = await server("--token-file", file);
  assert.equal(new URL(served.url).search, "");
  const headers = { authorization: `Bearer ${TOKEN}` };
  assert.equal((await fetch(new URL("/api/runs", served.url))).status, 401);
  assert.equal((await fetch(new URL("/api/runs", served.url), { headers })).status, 200);
  await Deno.remove(file);
});

Deno.test(
  "the server's process ends with the command, however that ends",
  { ignore: Deno.build.os !== "linux" },
  async () => {
    await using served = await server();
    assert.equal((await serverProcesses(served.dir)).length, 1);
    served.command.kill("SIGKILL");
    await until("the server's end", async () => (await serverProcesses(served.dir)).length === 0, 10_000);
  },
);

Deno.test("serve refuses what it cannot do, in a sentence", async () => {
  const call = (...args: string[]) => temper(["serve", ...args], { permissions: PERMISSIONS });
  const open = await call("--host", "0.0.0.0");
  assert.equal(open.code, 2);
  assert.match(open.err, /^Cannot serve on "0\.0\.0\.0" without a token/);
  for (const port of ["x", "65536", "-1", "1e3"]) assert.equal((await call(`--port=${port}`)).code, 2, port);
  assert.equal((await call("--runs", "a,b")).code, 2);
  const short = "--token=fifteen-letters";
  const refused = (args: string[]) => call(...args).then(({ code, err }) => ({ code, err }));
  assert.deepEqual(await refused([short]), {
    code: 2,
    err:
      "Cannot use the token in --token: it has 15 characters, at least 16 are needed so that it cannot be " +
      "guessed\n--token auto makes a good one\n",
  });
  assert.match((await refused(["--token-file", "/nowhere"])).err, /in "\/nowhere": no such file/);
  assert.match((await refused(["--token-file", "/"])).err, /it is a folder/);
  assert.equal((await refused(["--token-file", "x", "--token", TOKEN])).code, 2);
  const env = { TEMPER_SERVE_TOKEN: "short" };
  assert.match(
    (await temper(["serve"], { permissions: PERMISSIONS, env })).err,
    /in TEMPER_SERVE_TOKEN: it has 5/,
  );
  await using served = await server();
  const { port } = new URL(served.url);
  const taken = await call("--port", port);
  assert.deepEqual([taken.code, taken.err], [
    1,
    `Cannot serve on 127.0.0.1:${port}: the port is in use\n--port 0 picks a free port\n`,
  ]);
  assert.match((await call("--help")).out, /--host H .*\n.*--port N/);
});
