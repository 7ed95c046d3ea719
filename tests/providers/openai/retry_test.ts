import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { TRIES } from "../../../src/lib/retry.ts";
import { until } from "../../until.ts";
import { type Fault, FaultProxy } from "./fault_proxy.ts";
import { hostedProject } from "./hosted_project.ts";
import { MockService } from "./mock_service.ts";

const LIST = /^GET \/files$/;
const CREATE = /^POST \/fine_tuning\/jobs$/;
const EVENTS = /^GET .*\/events$/;

/** Refuses until the end of time, and says how long to wait. */
function busy(on: RegExp, seconds: string, status = 429): Fault {
  const error = { message: "slow down", type: "x", param: null, code: "rate_limit_exceeded" };
  return { on, times: Infinity, does: { status, body: { error }, headers: { "retry-after": seconds } } };
}

for (const [what, call] of [["while uploading", LIST], ["while following the job", EVENTS]] as const) {
  Deno.test(`a call that fails ${what} is made five times in all`, async () => {
    await using service = new MockService();
    await using proxy = new FaultProxy(service.url, [busy(call, "0.02", 503)]);
    await using project = await hostedProject();
    const { code, err } = await project.run(proxy.url);
    assert.equal(code, 1);
    assert.match(err, /503 .*slow down; retrying in .* \(4 of 4\)/s);
    assert.equal(proxy.count(call), TRIES);
    const log = await Deno.readTextFile(join(await project.lastRun(), "events.jsonl"));
    assert.doesNotMatch(log, /step\.retrying/);
  });
}

Deno.test("a job that the service refuses for now is asked for five times in all, and never in the dark", async () => {
  await using service = new MockService();
  await using proxy = new FaultProxy(service.url, [busy(CREATE, "0.02")]);
  await using project = await hostedProject();
  assert.equal((await project.run(proxy.url)).code, 1);
  assert.equal(proxy.count(CREATE), TRIES);
  await using broken = new FaultProxy(service.url, [busy(CREATE, "0.02", 500)]);
  await using other = await hostedProject();
  assert.match((await other.run(broken.url)).err, /Cannot tell whether the job was started/);
  assert.equal(broken.count(CREATE), 1);
});

Deno.test("the tries of a call go on counting after a kill", async () => {
  await using service = new MockService();
  const dead = Promise.withResolvers<void>();
  const fault = busy(LIST, "0.02");
  const faults = [{ ...fault, times: 2 }, { ...fault, times: 1, until: dead.promise }, fault];
  await using proxy = new FaultProxy(service.url, faults);
  await using project = await hostedProject();
  const child = project.start(...project.args(proxy.url));
  const words = new Response(child.stderr).text();
  try {
    await until("a third try", () => proxy.count(LIST) === 3);
    child.kill("SIGKILL");
    assert.equal((await child.status).signal, "SIGKILL", await words);
  } finally {
    dead.resolve();
  }
  const { code, err } = await project.run(proxy.url);
  assert.equal(code, 1, err);
  assert.equal(proxy.count(LIST), TRIES + 1, "the third try, which nobody counted, is made again");
});

Deno.test("x-should-retry decides where the service sends it", async () => {
  const headers = (value: string) => ({ "retry-after": "0.02", "x-should-retry": value });
  const answer = (status: number, value: string) => ({
    status,
    body: { error: { message: "no", type: "x", param: null, code: null } },
    headers: headers(value),
  });
  await using service = new MockService();
  await using yes = new FaultProxy(service.url, [{ on: LIST, does: answer(400, "true") }]);
  await using project = await hostedProject();
  assert.equal((await project.run(yes.url)).code, 0);
  await using no = new FaultProxy(service.url, [{ on: LIST, does: answer(503, "false") }]);
  await using other = await hostedProject();
  assert.equal((await other.run(no.url, "--fresh", "--create-anyway")).code, 1);
  assert.equal(no.count(LIST), 1);
});
