import assert from "node:assert/strict";
import { hostedProject } from "./hosted_project.ts";
import { MockService } from "./mock_service.ts";

Deno.test("doctor says whether each service answers to its key, and what closes there", async () => {
  await using service = new MockService();
  await using project = await hostedProject({
    env: { OPENAI_BASE_URL: service.url, NEBIUS_BASE_URL: "http://127.0.0.1:9/v1", AZURE_OPENAI_API_KEY: "" },
  });
  const { out } = await project.call("doctor", "--json");
  const checks = JSON.parse(out).checks as {
    name: string;
    state: string;
    found: string;
    fix?: string;
  }[];
  const of = (name: string) => checks.find((check) => check.name === name);
  assert.match(of("openai")!.found, /OpenAI accepts the key in OPENAI_API_KEY at .*; OpenAI takes no new/);
  assert.match(of("openai")!.fix!, /nebius|azure|ollama/);
  assert.equal(of("nebius")!.state, "warn");
  assert.match(of("nebius")!.found, /Cannot list the jobs/);
  assert.equal(of("azure"), undefined);
});
