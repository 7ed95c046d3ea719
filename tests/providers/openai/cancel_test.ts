import assert from "node:assert/strict";
import { hostedProject } from "./hosted_project.ts";
import { killedDuring } from "./killed_during.ts";
import type { Call } from "./mock_service.ts";

const isCreate = ({ method, path }: Call) => method === "POST" && path === "/fine_tuning/jobs";

for (const dialect of ["openai", "nebius", "azure"] as const) {
  Deno.test(`cancel stops the ${dialect} job whose creation nobody heard of`, async () => {
    await using project = await hostedProject({ dialect });
    const lost = (call: Call, moment: string) => isCreate(call) && moment === "done";
    await using service = await killedDuring(lost, { dialect }, project);
    assert.equal(service.jobs.length, 1);
    const { code, out, err } = await project.call("cancel", "last");
    assert.equal(code, 0, err);
    assert.match(out, /is cancelled/);
    assert.equal(service.jobs[0]!["status"], "cancelled");
  });
}

Deno.test("cancel of a run that started nothing asks nothing of the service", async () => {
  await using project = await hostedProject();
  const uploading = ({ method, path }: Call) => method === "POST" && path === "/files";
  await using service = await killedDuring(uploading, {}, project);
  const calls = service.calls.length;
  assert.equal((await project.call("cancel", "last")).code, 0);
  assert.equal(service.calls.length, calls);
});

Deno.test("cancel says when it cannot tell which job is the run's", async () => {
  await using project = await hostedProject({ dialect: "nebius" });
  const lost = (call: Call, moment: string) => isCreate(call) && moment === "done";
  await using service = await killedDuring(lost, { dialect: "nebius" }, project);
  service.jobs.push({ ...service.jobs[0], id: "ftjob-other" });
  const { code, err } = await project.call("cancel", "last");
  assert.equal(code, 1);
  assert.match(err, /keeps no metadata.*ftjob-\d+.*own page/s);
  assert.deepEqual(service.jobs.map(({ status }) => status), ["validating_files", "validating_files"]);
});
