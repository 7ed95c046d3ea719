import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { formsOf, startGuard } from "../guard_server.ts";
import { startOllama, WITHOUT_OLLAMA } from "../providers/ollama/server.ts";
import { filesWith } from "../providers/openai/hosted_project.ts";
import { serve } from "../server/serve.ts";
import { type Finished, project, tinyBase, WITHOUT_TRAINER } from "./kit.ts";

const PASSWORD = "pa/ss wörd+1";
const KEY = "k3y&of=the proxy";
const FORMS = [...formsOf("me", PASSWORD), KEY, encodeURIComponent(KEY)];
const BASIC = `Basic ${new TextEncoder().encode(`me:${PASSWORD}`).toBase64()}`;

Deno.test({
  name: "the password of an Ollama server is in no file and no output, whatever goes wrong",
  ignore: WITHOUT_TRAINER || WITHOUT_OLLAMA,
  async fn(t) {
    await using ollama = await startOllama({ engine: false });
    await using guard = startGuard({
      target: ollama.address,
      prefix: "/prefix/ollama",
      allows: ({ authorization, query }) => authorization === BASIC || query.get("key") === KEY,
    });
    const shown = `http://127.0.0.1:${guard.port}/prefix/ollama`;
    const env: Record<string, string> = { OLLAMA_HOST: "" };
    const provider = {
      kind: "ollama",
      base: await tinyBase(),
      model: "tiny",
      export: { quantization: "f32" },
    };
    const tiny = await project({ provider: { ...provider, server: shown, auth_env: "OLLAMA_AUTH" } }, env);
    const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const dead = closed.addr.port;
    closed.close();
    const printed: string[] = [];
    const call = async (...args: string[]): Promise<Finished> => {
      const finished = await tiny.temper(...args);
      printed.push(finished.stdout, finished.stderr);
      return finished;
    };
    const address = `http://me:${encodeURIComponent(PASSWORD)}@127.0.0.1:${guard.port}/prefix/ollama`;
    // Something else each time, so that the training is taken over and not repeated.
    const asked = (n: number) => [
      "--set",
      `provider.keep_previous=${n % 2 === 1}`,
      "--set",
      `provider.overwrite=${n > 1}`,
    ];
    try {
      await t.step("a wrong one is refused before the training", async () => {
        env["OLLAMA_AUTH"] = `you:${PASSWORD}`;
        const refused = await call("run", "tiny.yaml", "--set", "provider.register=always");
        assert.equal(refused.code, 1, refused.stderr);
        assert.match(refused.stderr, /it does not accept the credentials \(HTTP 401\)/);
        assert.match(refused.stderr, /✗ tiny failed in submit/);
        delete env["OLLAMA_AUTH"];
        const none = await call("run", "tiny.yaml");
        assert.equal(none.code, 2);
        assert.match(none.stderr, /Cannot use OLLAMA_AUTH \(provider\.auth_env\): it is not set/);
        assert.deepEqual(guard.let, []);
      });
      await t.step("the right one of the variable registers below the path", async () => {
        env["OLLAMA_AUTH"] = `me:${PASSWORD}`;
        const done = await call("run", "tiny.yaml");
        assert.equal(done.code, 0, done.stderr);
        assert.match(done.stdout, new RegExp(`curl -u "\\$OLLAMA_AUTH" ${shown}/api/chat -d `));
        assert.ok(guard.let.includes("POST /prefix/ollama/api/create"), guard.let.join());
      });
      await t.step("that of OLLAMA_HOST too, where the file names no server", async () => {
        await Deno.writeTextFile(
          join(tiny.dir, "host.yaml"),
          JSON.stringify({
            ...JSON.parse(await Deno.readTextFile(tiny.file)),
            provider,
          }),
        );
        env["OLLAMA_HOST"] = `${address}?key=wrong`;
        const done = await call("run", "host.yaml", ...asked(1));
        assert.equal(done.code, 0, done.stderr);
        assert.match(done.stdout, new RegExp(`curl -u USER '${shown}/api/chat\\?key=…' -d `));
        env["OLLAMA_HOST"] = `127.0.0.1:${guard.port}/prefix/ollama?key=${encodeURIComponent(KEY)}`;
        const key = await call("run", "host.yaml", ...asked(2));
        assert.equal(key.code, 0, key.stderr);
        assert.match(key.stdout, new RegExp(`curl '${shown}/api/chat\\?key=…' -d `));
        assert.match(
          (await call("doctor")).stdout,
          new RegExp(`ollama +0\\.\\S+ at ${shown} \\(OLLAMA_HOST\\)`),
        );
        env["OLLAMA_HOST"] = address.replace("me:", "you:");
        const wrong = await call("run", "host.yaml", ...asked(3));
        assert.equal(wrong.code, 0, wrong.stderr);
        assert.match(wrong.stdout, /served +no: Cannot use .*: it does not accept the credentials/);
        assert.match((await call("doctor")).stdout, /it does not accept the credentials/);
        env["OLLAMA_HOST"] = address;
      });
      await t.step(
        "an address with a password is refused in the file, and taken on the command line",
        async () => {
          const refused = await call("check", "tiny.yaml", "--set", `provider.server=${address}`);
          assert.equal(refused.code, 2);
          assert.match(refused.stdout, /Password in provider\.server/);
          const run = await call("run", "tiny.yaml", "--json", "--set", `provider.server=${address}`);
          assert.equal(run.code, 2);
          const gone = await call("unregister", "last", "--server", address);
          assert.match(gone.stdout, new RegExp(`^tiny was removed from ${shown}\n`), gone.stderr);
          const back = await call("register", "last", "--server", address);
          // Without an engine it registers and cannot ask.
          assert.match(back.stderr, /^register: success\nCannot use .*llama-server/m);
        },
      );
      await t.step(
        "a server that is gone, or that answers with a page, is told by its address alone",
        async () => {
          env["OLLAMA_HOST"] = address.replace("/prefix/ollama", "");
          const page = await call("run", "host.yaml", ...asked(3));
          assert.equal(page.code, 0, page.stderr);
          assert.match(
            page.stderr,
            /submit: note: Registering .*: Cannot understand the server at http:\/\/127\.0\.0\.1:\d+: .*HTML/,
          );
          assert.match(
            page.stdout,
            /served +no: Cannot understand the server at http:\/\/127\.0\.0\.1:\d+: .*HTML/,
          );
          const always = await call("run", "host.yaml", ...asked(4), "--set", "provider.register=always");
          assert.match(always.stderr, /✗ tiny failed in submit/);
          env["OLLAMA_HOST"] = `http://me:${encodeURIComponent(PASSWORD)}@127.0.0.1:${dead}?key=${
            encodeURIComponent(KEY)
          }`;
          const gone = await call("run", "host.yaml", ...asked(5));
          assert.equal(gone.code, 0, gone.stderr);
          assert.match(
            gone.stdout,
            /served +no: Cannot reach Ollama at http:\/\/127\.0\.0\.1:\d+: connection refused/,
          );
          const away = await call("register", "last", "--server", "http://me:pw@gpu.example");
          assert.equal(away.code, 2);
          assert.match(away.stderr, /http:\/\/ to another machine is not encrypted/);
        },
      );
      for (const args of [["show", "last", "--json"], ["logs", "last"], ["plan", "tiny.yaml"], ["runs"]]) {
        assert.equal((await call(...args)).code, 0);
      }
      await using served = await serve(join(tiny.dir, "runs"));
      for (const { id } of await (await fetch(new URL("/api/runs", served.url))).json()) {
        for (
          const path of [`/runs/${id}`, `/api/runs/${id}`, `/api/runs/${id}/files`, `/api/runs/${id}/log`]
        ) {
          printed.push(await (await fetch(new URL(path, served.url))).text());
        }
      }
      for (const form of FORMS) {
        assert.deepEqual(await filesWith(tiny.dir, form), [], form);
        assert.ok(!printed.join("\n").includes(form), `${form} was printed`);
      }
    } finally {
      await tiny.remove();
    }
  },
});
