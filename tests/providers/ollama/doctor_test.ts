import assert from "node:assert/strict";
import { systemClock } from "../../../src/lib/clock.ts";
import { denoFs } from "../../../src/lib/fs.ts";
import { ollamaFinding } from "../../../src/providers/ollama/doctor.ts";

const ENV = { fs: denoFs, clock: systemClock, cacheDir: "/nowhere", env: {} };

async function findingOf(answer: () => Response | Promise<Response>) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  try {
    const address = `http://127.0.0.1:${server.addr.port}`;
    return { address, finding: await ollamaFinding(ENV, address, new AbortController().signal) };
  } finally {
    await server.shutdown();
  }
}

Deno.test("ollamaFinding() names the version that answers", async () => {
  const { address, finding } = await findingOf(() => Response.json({ version: "0.34.4" }));
  assert.deepEqual(finding, { name: "ollama", state: "ok", found: `0.34.4 at ${address}` });
});

Deno.test("ollamaFinding() takes nothing else for Ollama, and misses it without alarm", async () => {
  const answers = [
    () => new Response("hello"),
    () => Response.json({}),
    () => new Response("", { status: 500 }),
  ];
  for (const answer of answers) {
    const { address, finding } = await findingOf(answer);
    assert.equal(finding.state, "warn");
    assert.equal(finding.found, `no server answers at ${address}`);
  }
});
