import assert from "../../deps/assert.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { ollamaFinding } from "../../../src/providers/ollama/ollama_diagnostics.ts";

const envOf = (host: string) => ({
  fs: denoFs,
  clock: systemClock,
  cacheDir: "/nowhere",
  env: { OLLAMA_HOST: host },
});

async function findingOf(answer: () => Response | Promise<Response>) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  try {
    const address = `http://127.0.0.1:${server.addr.port}`;
    return { address, finding: await ollamaFinding(envOf(address), new AbortController().signal) };
  } finally {
    await server.shutdown();
  }
}

Deno.test("ollamaFinding() names the version that answers", async () => {
  const { address, finding } = await findingOf(() => Response.json({ version: "0.34.4" }));
  assert.deepEqual(finding, { name: "ollama", state: "ok", found: `0.34.4 at ${address} (OLLAMA_HOST)` });
});

Deno.test("ollamaFinding() takes nothing else for Ollama, and misses it without alarm", async () => {
  const answers = [
    [() => new Response("hello"), /it answers "hello"/],
    [() => new Response("<!doctype html><p>Hello"), /it answers with an HTML page$/],
    [() => Response.json({}), /it answers "\{\}"/],
    [() => new Response("", { status: 500 }), /HTTP 500/],
    [() => new Response("", { status: 401 }), /it asks for credentials/],
    [
      () => Response.redirect("http://127.0.0.1:1/x?key=secret"),
      /it redirects to http:\/\/127\.0\.0\.1:1$/,
    ],
  ] as const;
  for (const [answer, words] of answers) {
    const { finding } = await findingOf(answer);
    assert.equal(finding.state, "warn");
    assert.match(finding.found, words);
  }
});

Deno.test("ollamaFinding() says where nothing answers, and where the address came from", async () => {
  const { signal } = new AbortController();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const { found } = await ollamaFinding(envOf(`me:pw-secret@127.0.0.1:${port}`), signal);
  assert.match(found, new RegExp(`no server answers at http://127\\.0\\.0\\.1:${port} \\(OLLAMA_HOST\\)$`));
  const away = await ollamaFinding(envOf("http://me:pw-secret@gpu.example:1"), signal);
  assert.match(
    away.found,
    /^Cannot send the secrets in OLLAMA_HOST to http:\/\/gpu\.example:1: .* is not encrypted$/,
  );
});
