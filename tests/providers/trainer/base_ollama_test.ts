import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { describeBase } from "../../../src/providers/trainer/base/describe.ts";
import { jobSettings, trainingSpec } from "../../../src/providers/trainer/job/job.ts";
import { clientOf, registerWork, requestOf } from "../ollama/kit.ts";
import { register } from "../../../src/providers/ollama/register.ts";
import { startOllama, WITHOUT_OLLAMA } from "../ollama/server.ts";
import { Project } from "./project.ts";

const shown = (modelfile: string, more: object = {}) => () => Response.json({ modelfile, ...more });

/** What describeBase() makes of a model that a server shows so. */
async function described(answer: () => Response) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  const address = `http://127.0.0.1:${server.addr.port}`;
  await using project = await Project.make("home", {
    provider: { kind: "ollama", base: "ollama:home", model: "new", server: address },
  });
  try {
    return await describeBase(project.loaded, project.env);
  } finally {
    await server.shutdown();
  }
}

Deno.test({
  name: "describeBase() takes the file that Ollama has, and the template that Ollama serves it with",
  ignore: WITHOUT_OLLAMA,
  async fn() {
    await using ollama = await startOllama({ engine: false });
    const dir = await Deno.makeTempDir({ prefix: "temper-base-" });
    const bare = await requestOf(dir, { model: "bare" }, { texts: { "tokenizer.chat_template": "" } });
    const { work } = registerWork();
    await register(clientOf(ollama.address), bare, work);
    await using project = await Project.make("home", {
      provider: { kind: "ollama", base: "ollama:bare", model: "new", server: ollama.address },
    });
    const base = await describeBase(project.loaded, project.env);
    assert.deepEqual(base.identity, { kind: "gguf", sha256: bare.gguf.sha256 });
    assert.equal(
      (base.job as { path: string }).path,
      join(ollama.models, "blobs", `sha256-${bare.gguf.sha256}`),
    );
    assert.equal(base.template, "chatml");
    assert.equal(jobSettings(trainingSpec(project.loaded.spec), base, undefined)["template"], "chatml");
  },
});

Deno.test("describeBase() asks the server of OLLAMA_HOST where the pipeline names none, below its path", async () => {
  const asked: string[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    asked.push(`${new URL(request.url).pathname} ${request.headers.get("authorization")}`);
    return Response.json({ error: "not found" }, { status: 404 });
  });
  const host = `127.0.0.1:${server.addr.port}/prefix`;
  for (const provider of [{ kind: "local" }, { kind: "ollama", model: "new" }]) {
    await using project = await Project.make("home", { provider: { ...provider, base: "ollama:home" } });
    const env = { ...project.env, env: { ...project.env.env, OLLAMA_HOST: `me:hunter2@${host}` } };
    await assert.rejects(describeBase(project.loaded, env), {
      message: `Cannot find base "ollama:home": http://${host} has no such model`,
    });
  }
  assert.deepEqual(asked, Array(2).fill(`/prefix/api/show Basic ${btoa("me:hunter2")}`));
});

Deno.test("describeBase() refuses what Ollama has no file of its own for", async () => {
  const cases: [() => Response, RegExp][] = [
    [() => Response.json({ error: "not found" }, { status: 404 }), /has no such model$/],
    [shown("FROM /nowhere/sha256-1\n"), /keeps it in "\/nowhere\/sha256-1", which is not on this machine$/],
    [shown("FROM /a\nADAPTER /b\n"), /it has a separate adapter$/],
    [shown("FROM /a\nFROM /b\n"), /it is made of 2 files$/],
    [shown("FROM x\n", { remote_host: "https://ollama.com" }), /it runs at https:\/\/ollama.com, not here$/],
  ];
  for (const [answer, expected] of cases) await assert.rejects(described(answer), expected);
});
