// deno-lint-ignore-file no-console -- the counts are what this test is read for
import assert from "node:assert/strict";
import { Contract } from "./contract.ts";
import { hostedProject } from "./hosted_project.ts";
import { type Call, MockService } from "./mock_service.ts";

Deno.test("every request and every reply is what OpenAI's public description of its API says", async () => {
  const contract = new Contract();
  await using service = new MockService({ asDescribed: true });
  await using project = await hostedProject({ provider: "  integrations: [{kind: wandb, project: p}]\n" });
  assert.equal((await project.run(service.url)).code, 0);
  for (const call of service.calls) if (call.path !== "/chat/completions") contract.check(call);
  console.log(`${contract.requests} requests and ${contract.replies} replies fit the description`);
  assert(contract.requests > 15 && contract.replies > 12);
});

Deno.test("Contract.check() finds what does not fit", () => {
  const call: Call = {
    method: "POST",
    path: "/fine_tuning/jobs",
    query: "",
    body: { model: "m", training_file: "f", suffix: "s" },
    authorization: null,
    status: 400,
    reply: null,
  };
  const contract = new Contract();
  contract.check(call);
  assert.throws(() => contract.check({ ...call, body: { model: "m" } }), /training_file/);
  assert.throws(() => contract.check({ ...call, body: { ...call.body as object, suffix: "" } }), /suffix/);
  assert.throws(() => contract.check({ ...call, status: 200, reply: { id: "x" } }), /reply/);
  assert.throws(() => contract.check({ ...call, path: "/fine_tuning/job" }), /no description/);
  assert.throws(
    () => contract.check({ ...call, method: "GET", query: "?key=1", body: undefined }),
    /unknown parameter/,
  );
});
