// deno-lint-ignore-file no-console -- the counts are what this test is read for
import assert from "node:assert/strict";
import { join } from "node:path";
import { denoFs } from "../../src/lib/fs.ts";
import { readLog } from "../../src/log/read.ts";
import { ROOT } from "../commands/cli_kit.ts";
import { filesWith, hostedProject, KEY } from "../providers/openai/hosted_project.ts";
import { MockService } from "../providers/openai/mock_service.ts";
import { seededRandom } from "../run/kit.ts";

const KILLS = Number(Deno.env.get("TEMPER_CRASH_KILLS") ?? 300);
const SECONDS = Number(Deno.env.get("TEMPER_CRASH_SECONDS") ?? Infinity);
/** Such a run, undisturbed, takes about this long from its first call of the service to its end. */
const SPAN_MS = 450;

for (const dialect of ["openai", "nebius"] as const) {
  Deno.test(`a ${dialect} run that is killed between any two calls never uploads or starts twice`, async () => {
    const { seed, random } = seededRandom();
    const began = performance.now();
    const most = dialect === "openai" ? KILLS : Math.ceil(KILLS / 10);
    const counts = { runs: 0, kills: 0, killedInRun: 0, jobs: 0, files: 0 };
    try {
      while (counts.kills < most && performance.now() - began < SECONDS * 1000) {
        await oneRun(dialect, random, counts, () => counts.kills < most);
      }
    } catch (cause) {
      throw new Error(`TEMPER_SEED=${seed}`, { cause });
    }
    console.log(
      `${dialect}: ${counts.kills} kills (${counts.killedInRun} after the service was first called) in ${counts.runs} runs: ` +
        `${counts.jobs - counts.runs} duplicate jobs, ${counts.files - 2 * counts.runs} duplicate uploads`,
    );
    assert(counts.kills > 0);
  });
}

interface Counts {
  runs: number;
  kills: number;
  killedInRun: number;
  jobs: number;
  files: number;
}

/** One pipeline, killed and started again until it comes through. */
async function oneRun(
  dialect: "openai" | "nebius",
  random: () => number,
  counts: Counts,
  more: () => boolean,
) {
  const slowMs = Math.floor(random() * 20);
  const answer = (_: string, messages: readonly { content: string }[]) => messages.at(-1)!.content.slice(4);
  await using service = new MockService({ dialect, slowMs, answer });
  await using project = await hostedProject({ dialect });
  const killsHere = 4 + Math.floor(random() * 8);
  let done = false;
  for (let round = 0; !done; round++) {
    assert(round < 60, "the run does not come through");
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", `${ROOT}cli.ts`, ...project.args(service.url)],
      cwd: project.dir,
      env: { OPENAI_API_KEY: KEY, NEBIUS_API_KEY: KEY },
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const kill = round < killsHere && more();
    const words = new Response(child.stderr).text();
    const before = service.calls.length;
    if (kill) await killSometime(child, service, before, random);
    const { success, signal } = await child.status;
    if (signal === "SIGKILL") {
      counts.kills++;
      if (service.calls.length > before) counts.killedInRun++;
    } else {
      done = success;
      assert(success, await words);
    }
    await words;
  }
  counts.runs++;
  counts.jobs += service.jobs.length;
  counts.files +=
    [...service.files.values()].filter(({ object }) => object["purpose"] === "fine-tune").length;
  assert.equal(service.jobs.length, 1, "jobs");
  assert.equal(service.count("POST", /^\/files$/), 2, "uploads");
  const [id] = await denoFs.list(join(project.dir, "runs"));
  const { state } = await readLog(denoFs, join(project.dir, "runs", id!, "events.jsonl"));
  assert.equal(state.state, "done");
  assert.deepEqual(await filesWith(project.dir, KEY), []);
}

/** Waits until the service is called, then a random while: most of a process's life is its start. */
async function killSometime(
  child: Deno.ChildProcess,
  service: MockService,
  before: number,
  random: () => number,
) {
  let ended = false;
  const end = child.status.then(() => ended = true);
  while (!ended && service.calls.length === before) await new Promise((resolve) => setTimeout(resolve, 2));
  await Promise.race([end, new Promise((resolve) => setTimeout(resolve, random() ** 2 * SPAN_MS))]);
  try {
    child.kill("SIGKILL");
  } catch {
    // It was faster.
  }
}
