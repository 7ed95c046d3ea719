import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { readRun } from "../../../src/log/read_run.ts";
import { nameInId } from "../../../src/run/run_id.ts";
import { runNames } from "../../hermetic.ts";
import { until } from "../../until.ts";
import { type HostedProject, hostedProject } from "./hosted_project.ts";
import { type MockOptions, MockService } from "./mock_service.ts";

const SEEDS = [1, 2, 3, 4];
/** The combinations differ in the job alone: they share extract, format and both files at the service. */
const MATRIX = `matrix:\n  train.seed: ${JSON.stringify(SEEDS)}\n`;

interface Hosted extends AsyncDisposable {
  readonly service: MockService;
  readonly project: HostedProject;
  /** Words of the command that compares N side by side. */
  words(parallel: number): string[];
}

async function hosted(options: MockOptions = {}): Promise<Hosted> {
  const service = new MockService({ ...options, answer: (_, messages) => messages.at(-1)!.content.slice(4) });
  const project = await hostedProject({ more: MATRIX });
  return {
    service,
    project,
    words: (parallel) => {
      const url = `provider.base_url=${service.url}`;
      return ["compare", "hosted.yaml", "--set", url, "--parallel", String(parallel)];
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await project[Symbol.asyncDispose]();
    },
  };
}

/** One run and one job a combination, and what they share made once. */
async function assertOnce({ service, project }: Hosted): Promise<void> {
  const runs = join(project.dir, "runs");
  const ids = (await runNames(runs)).filter((id) => nameInId(id) !== undefined);
  assert.equal(ids.length, SEEDS.length, "runs");
  assert.equal(service.jobs.length, SEEDS.length, "jobs");
  assert.equal(service.count("POST", /^\/files$/), 2, "uploads");
  const events = await Promise.all(ids.map((id) => Deno.readTextFile(join(runs, id, "events.jsonl"))));
  const lines = events.flatMap((text) => text.trim().split("\n").map((line) => JSON.parse(line)));
  for (const kind of ["extract", "format"]) {
    const made = lines.filter(({ type, step }) => type === "step.done" && step === kind);
    assert.equal(made.length, 1, kind);
  }
  assert.equal(lines.filter(({ type }) => type === "run.done").length, SEEDS.length);
}

Deno.test("compare --parallel runs combinations at the same time, over shared steps and files", async () => {
  // A job waits until all of them are there.
  const all: Hosted = await hosted({
    slowMs: 20,
    onCall: ({ method, path }, moment) => {
      const looks = method === "GET" && /^\/fine_tuning\/jobs\/[^/]+$/.test(path) && moment === "arrived";
      return looks && all.service.jobs.length < SEEDS.length ? "drop" : undefined;
    },
  });
  await using _ = all;
  const prices = "date: 2027-02-03\nmodels: {gpt-4.1-mini-2025-04-14: {training: 7}}\n";
  await all.project.write("prices.yaml", prices);
  const { code, out, err } = await all.project.call(...all.words(4), "--prices", "prices.yaml");
  assert.equal(code, 0, err);
  assert.equal(
    err.match(/^seed-\d \| .*Estimated price .*prices\.yaml" of 2027-02-03/gm)?.length,
    SEEDS.length,
  );
  assert.match(out, /^seed-1 +/m);
  const lines = err.trim().split("\n");
  assert.deepEqual(lines.filter((line) => !/^seed-\d \| \S/.test(line)), []);
  assert.match(err, /^seed-4 \| .* started: /m);
  await assertOnce(all);
  const again = await all.project.call(...all.words(2));
  assert.equal(again.code, 0, again.err);
  assert.equal(again.err.match(/^seed-\d \| Already done in /gm)?.length, SEEDS.length);
  await assertOnce(all);
});

Deno.test("compare --parallel goes on after kill -9 with the same command, and makes nothing twice", async () => {
  for (const moment of [1, 2, 4]) {
    await using all = await hosted({ slowMs: 10 });
    const child = all.project.start(...all.words(3));
    await until("jobs", () => all.service.jobs.length >= Math.min(moment, 3));
    child.kill("SIGKILL");
    await child.stderr.cancel();
    await child.status;
    const { code, err } = await all.project.call(...all.words(3));
    assert.equal(code, 0, err);
    await assertOnce(all);
  }
});

Deno.test("compare --parallel: a combination that fails does not stop the others, and SIGTERM leaves them all", async () => {
  await using all = await hosted({ stages: Array.from({ length: 2000 }, () => "running") });
  const child = all.project.start(...all.words(4));
  const printed = new Response(child.stderr).text();
  const failing = await until("all jobs", () => all.service.jobs.length === 4 && jobOf(all, 2));
  Object.assign(failing, {
    status: "failed",
    error: { code: "server_error", message: "It broke", param: null },
  });
  const states = async () => {
    const runs = join(all.project.dir, "runs");
    const ids = (await runNames(runs)).filter((id) => nameInId(id) !== undefined);
    const read = await Promise.all(ids.map((id) => readRun(denoFs, join(runs, id))));
    return Object.fromEntries(read.flatMap((state) => state ? [[state.name, state.state]] : []));
  };
  await until("the failure", async () => (await states())["hosted-seed-2"] === "failed");
  child.kill("SIGTERM");
  assert.equal((await child.status).code, 130);
  const words = await printed;
  assert.equal(words.match(/Leaving the run/g)?.length, 1);
  assert.match(words, /^seed-2 \| failed: .*It broke/m);
  assert.deepEqual(await states(), {
    "hosted-seed-1": "interrupted",
    "hosted-seed-2": "failed",
    "hosted-seed-3": "interrupted",
    "hosted-seed-4": "interrupted",
  });
  all.service.options = { ...all.service.options, stages: [] };
  const { code, out, err } = await all.project.call(...all.words(4));
  assert.equal(code, 0, err);
  assert.match(out, /^seed-2 +/m);
  assert.equal(all.service.jobs.length, 5, "the failed job is tried again, and no other");
});

function jobOf({ service }: Hosted, seed: number): Record<string, unknown> | undefined {
  return service.jobs.find((job) => job["seed"] === seed);
}
