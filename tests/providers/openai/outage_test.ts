import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { runNames } from "../../hermetic.ts";
import { until } from "../../until.ts";
import { type Fault, FaultProxy } from "./fault_proxy.ts";
import { hostedProject } from "./hosted_project.ts";
import { MockService } from "./mock_service.ts";

const CREATE = /^POST \/fine_tuning\/jobs$/;
const LIST = /^GET \/fine_tuning\/jobs$/;
const READ = /^GET \/fine_tuning\/jobs\/[^/]+$/;
const DIALECTS = ["openai", "nebius", "azure"] as const;

const away: Fault["does"] = {
  status: 503,
  body: { error: { message: "away", type: "x", param: null, code: null } },
  headers: { "retry-after": "0.02" },
};
const nothing: Fault["does"] = { status: 200, body: { object: "list", data: [], has_more: false } };
const lost: Fault = { on: CREATE, does: "lost" };

for (const dialect of DIALECTS) {
  Deno.test(`a lost creation is looked for through an outage, and ${dialect} has one job`, async () => {
    await using service = new MockService({ dialect });
    // Away for more tries than a call has, and then slow to list what was created.
    await using proxy = new FaultProxy(service.url, [
      lost,
      { on: LIST, after: CREATE, does: away, times: 7 },
      { on: LIST, after: CREATE, does: nothing },
    ]);
    await using project = await hostedProject({ dialect });
    const settle = ["--set", "provider.settle_seconds=60"];
    let called = await project.run(proxy.url, ...settle);
    for (let again = 0; called.code !== 0 && again < 2; again++) {
      called = await project.run(proxy.url, ...settle);
    }
    assert.equal(proxy.count(CREATE), 1);
    assert.equal(called.code, 0, called.err);
    assert.equal(service.jobs.length, 1);
    assert.equal((await runNames(join(project.dir, "runs"))).length, 1);
  });

  Deno.test(`while nobody can tell whether a ${dialect} job was created, the run stays open`, async () => {
    await using service = new MockService({ dialect });
    await using proxy = new FaultProxy(service.url, [lost, {
      on: LIST,
      after: CREATE,
      does: away,
      times: Infinity,
    }]);
    await using project = await hostedProject({ dialect });
    for (let outage = 0; outage < 2; outage++) {
      const { code, err } = await project.run(proxy.url);
      assert.equal(code, 1);
      assert.match(err, /503 away/);
      const { state } = JSON.parse((await project.call("show", "last", "--json")).out);
      assert.equal(state, "interrupted");
    }
    assert.match(project.printed.join(""), /Cannot tell whether the job was started: .*it looks .*first/s);
    proxy.heal();
    const { code, err } = await project.run(proxy.url);
    assert.equal(code, 0, err);
    assert.equal(proxy.count(CREATE), 1);
    assert.equal(service.jobs.length, 1);
    assert.equal((await runNames(join(project.dir, "runs"))).length, 1);
  });
}

Deno.test("nothing that fails before the look ends a run whose job may have been created", async () => {
  await using service = new MockService({ dialect: "nebius" });
  await using proxy = new FaultProxy(service.url, [
    lost,
    { on: LIST, after: CREATE, does: away, times: Infinity },
    { on: /^GET \/files\//, after: CREATE, does: { status: 403, body: {} }, times: Infinity },
  ]);
  await using project = await hostedProject({ dialect: "nebius" });
  assert.equal((await project.run(proxy.url)).code, 1);
  const { code, err } = await project.run(proxy.url);
  assert.equal(code, 1);
  assert.match(err, /Cannot read file .*403/);
  proxy.heal();
  assert.equal((await project.run(proxy.url)).code, 0);
  assert.equal(proxy.count(CREATE), 1);
  assert.equal((await runNames(join(project.dir, "runs"))).length, 1);
});

for (const [what, does] of [["is away", away], ["refuses the key", { status: 401, body: {} }]] as const) {
  for (const on of [READ, /\/events$/]) {
    Deno.test(`a job is followed again, or cancelled, after the service ${what} (${on})`, async () => {
      for (const then of ["follow", "cancel"] as const) {
        await using service = new MockService();
        await using proxy = new FaultProxy(service.url, [{ on, does, times: Infinity }]);
        await using project = await hostedProject();
        const { code, err } = await project.run(proxy.url);
        assert.equal(code, 1);
        assert.match(err, /Cannot read .*(503 away|401)/);
        proxy.heal();
        const next = then === "follow" ? await project.run(proxy.url) : await project.call("cancel", "last");
        assert.equal(next.code, 0, next.err);
        assert.deepEqual(service.jobs.map(({ status }) => status), [
          then === "follow" ? "succeeded" : "cancelled",
        ]);
        assert.equal((await runNames(join(project.dir, "runs"))).length, 1);
      }
    });
  }
}

Deno.test("a job that the service does not know any more ends its run", async () => {
  await using service = new MockService();
  await using proxy = new FaultProxy(service.url, [{
    on: READ,
    does: { status: 404, body: {} },
    times: Infinity,
  }]);
  await using project = await hostedProject();
  assert.equal((await project.run(proxy.url)).code, 1);
  assert.equal(JSON.parse((await project.call("show", "last", "--json")).out).state, "failed");
});

Deno.test("a record of another version leaves the run open before a job is created, and is passed over after it", async () => {
  await using service = new MockService();
  await using proxy = new FaultProxy(service.url, [lost, {
    on: LIST,
    after: CREATE,
    does: away,
    times: Infinity,
  }]);
  await using project = await hostedProject();
  assert.equal((await project.run(proxy.url)).code, 1);
  const log = join(await project.lastRun(), "events.jsonl");
  const before = await Deno.readTextFile(log);
  const addRecord = async (step: string) => {
    const lines = (await Deno.readTextFile(log)).trimEnd().split("\n");
    const last = JSON.parse(lines.at(-1)!);
    const event = { v: last.v, seq: last.seq + 1, t: last.t, type: "step.progress", step, phase: "p" };
    await Deno.writeTextFile(log, JSON.stringify({ ...event, record: { heartbeat: 1 } }) + "\n", {
      append: true,
    });
  };
  await addRecord("submit");
  proxy.heal();
  for (const called of [await project.run(proxy.url), await project.call("cancel", "last")]) {
    assert.equal(called.code, 1);
    assert.match(called.err, /record that this version does not know: \{"heartbeat":1\}\s+Use the version/);
  }
  assert.equal(JSON.parse((await project.call("show", "last", "--json")).out).state, "interrupted");
  await Deno.writeTextFile(log, before);
  await addRecord("monitor");
  const { code, err } = await project.run(proxy.url);
  assert.equal(code, 0, err);
  assert.equal(proxy.count(CREATE), 1);
});

Deno.test("cancel waits until the service lists a job whose creation was lost", async () => {
  await using service = new MockService();
  const outage: Fault = { on: LIST, after: CREATE, does: away, times: Infinity };
  await using proxy = new FaultProxy(service.url, [lost, outage]);
  await using project = await hostedProject();
  const settle = ["--set", "provider.settle_seconds=60"];
  const child = project.start(...project.args(proxy.url), ...settle);
  const words = new Response(child.stderr).text();
  await until("the job to be looked for", () => proxy.count(CREATE) === 1 && service.jobs.length === 1);
  child.kill("SIGKILL");
  await child.status;
  await words;
  proxy.heal({ on: LIST, does: nothing, times: 2 });
  const { code, err } = await project.call("cancel", "last");
  assert.equal(code, 0, err);
  assert.deepEqual(service.jobs.map(({ status }) => status), ["cancelled"]);
});
