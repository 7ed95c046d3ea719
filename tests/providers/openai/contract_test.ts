// deno-lint-ignore-file no-console -- the counts are what this test is read for
import assert from "../../deps/assert.ts";
import { Contract } from "./contract.ts";
import { hostedProject, pairs } from "./hosted_project.ts";
import { type Call, MockService } from "./mock_service.ts";
import { partsProject } from "./parts_project.ts";
import { until } from "../../until.ts";

/** Holds everything a service was asked and answered against the description. */
function check({ calls }: MockService, contract: Contract): void {
  for (const call of calls) if (call.path !== "/chat/completions") contract.check(call);
}

Deno.test("every request and every reply is what OpenAI's public description of its API says", async (t) => {
  const contract = new Contract();
  await t.step("a run, and another after the service lost everything", async () => {
    await using project = await hostedProject({ provider: "  integrations: [{kind: wandb, project: p}]\n" });
    const service = new MockService({ asDescribed: true });
    assert.equal((await project.run(service.url)).code, 0);
    check(service, contract);
    const port = Number(new URL(service.url).port);
    await service[Symbol.asyncDispose]();
    await using empty = new MockService({ asDescribed: true, port });
    assert.equal((await project.run(empty.url, "--fresh")).code, 0);
    assert.equal(empty.calls.filter(({ status }) => status === 404).length, 2, "the ledger is verified");
    assert.equal((await project.run(empty.url, "--fresh", "--adopt", "ftjob-none")).code, 2);
    check(empty, contract);
  });
  await t.step("an upload in parts", async () => {
    await using parts = await partsProject();
    await parts.upload();
    check(parts.mock, contract);
  });
  await t.step("preference pairs, and a job that is cancelled", async () => {
    await using service = new MockService({ asDescribed: true, stages: Array(2000).fill("running") });
    await using project = await hostedProject({ train: pairs(12), held: pairs(14) });
    const child = project.start(...project.args(service.url));
    await until("the job to be followed", () => service.count("GET", /events/) >= 2);
    child.kill("SIGKILL");
    await new Response(child.stderr).text();
    await child.status;
    assert.equal((await project.call("cancel", "last")).code, 0);
    check(service, contract);
  });
  const { requests, replies, errors } = contract;
  console.log(`${requests} requests, ${replies} replies and ${errors} refusals fit the description`);
  assert(requests > 50 && replies > 40 && errors === 3);
});

Deno.test("Contract.check() finds what does not fit", () => {
  const call: Call = {
    method: "POST",
    path: "/fine_tuning/jobs",
    query: "",
    body: { model: "m", training_file: "f", suffix: "s" },
    authorization: null,
    status: 400,
    reply: { error: { message: "no", type: "t", param: null, code: null } },
  };
  const contract = new Contract();
  contract.check(call);
  assert.throws(() => contract.check({ ...call, body: { model: "m" } }), /training_file/);
  assert.throws(() => contract.check({ ...call, body: { ...call.body as object, suffix: "" } }), /suffix/);
  assert.throws(() => contract.check({ ...call, status: 200, reply: { id: "x" } }), /reply/);
  assert.throws(() => contract.check({ ...call, reply: { error: { message: "no" } } }), /400.*param/s);
  assert.throws(() => contract.check({ ...call, path: "/fine_tuning/job" }), /no description/);
  assert.throws(
    () => contract.check({ ...call, method: "GET", query: "?key=1", body: undefined }),
    /unknown parameter/,
  );
});
