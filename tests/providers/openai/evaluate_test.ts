import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import type { JobFile } from "../../../src/providers/openai/job/job_file.ts";
import { evaluateHosted } from "../../../src/providers/openai/result/evaluate.ts";
import { Service } from "../../../src/providers/openai/service.ts";
import type { MonitorWork } from "../../../src/providers/provider.ts";
import { DIALECTS } from "../../../src/spec/dialects/registry.ts";
import { rows } from "./hosted_project.ts";

/** What the models answer: row 0 is refused, row 1 is answered after that, every other row is asked for again. */
async function reply(question: string, refused: Promise<void>): Promise<Response> {
  if (question === "say 0") return Response.json({ error: { message: "not this one" } }, { status: 400 });
  if (question !== "say 1") {
    return Response.json({ error: { message: "slow down" } }, {
      status: 429,
      headers: { "retry-after": "0.1" },
    });
  }
  await refused;
  const message = { role: "assistant", content: "1" };
  return Response.json({ choices: [{ index: 0, finish_reason: "stop", message }] });
}

Deno.test("once a row cannot be scored no row is asked for again, and answers on their way are kept", async () => {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(join(dir, "held.jsonl"), rows(40));
  await Deno.writeTextFile(join(dir, "held.jsonl.origins"), "");
  const asked: string[] = [];
  const refused = Promise.withResolvers<void>();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { messages: [{ content }] } = await request.json();
    asked.push(content);
    // The refusal goes out before the answer of row 1 does.
    if (content === "say 0") setTimeout(refused.resolve, 100);
    return await reply(content, refused.promise);
  });
  const records: unknown[] = [];
  const env = { fs: denoFs, clock: systemClock, cacheDir: dir, env: { NEBIUS_API_KEY: "none" } };
  const work = {
    ...env,
    loaded: { spec: { evaluate: { metric: "exact_match", reasoning: "exclude", max_new_tokens: 5 } } },
    records: [],
    record: (record: unknown) => Promise.resolve(void records.push(record)),
    progress() {},
    signal: new AbortController().signal,
    runDir: dir,
    configured: dir,
  } as unknown as MonitorWork;
  const baseUrl = `http://127.0.0.1:${server.addr.port}`;
  const service = await Service.forStep(
    { dialect: DIALECTS.nebius, baseUrl, keyEnv: "NEBIUS_API_KEY" },
    work,
    "score",
  );
  const job = { validation: { name: "held.jsonl", rows: 40 }, goal: "supervised" } as JobFile;
  await assert.rejects(
    () => evaluateHosted(work, service, job, { before: undefined, after: "m" }),
    /row 1, after: 400 not this one/,
  );
  const [calls, written] = [asked.length, records.length];
  const kept = (await Deno.readTextFile(join(dir, "job", "answers-after.jsonl"))).trim().split("\n");
  // Longer than what the service asked to wait.
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.deepEqual([asked.length, records.length], [calls, written]);
  assert.deepEqual(kept.map((line) => JSON.parse(line).answer), ["1"]);
  await server.shutdown();
  await Deno.remove(dir, { recursive: true });
});
