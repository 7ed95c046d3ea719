import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { fileURLToPath } from "node:url";
import { localProvider } from "../../../src/providers/local/provider.ts";
import { DOUBLE, Project, starts } from "./project.ts";
import { until } from "../../until.ts";

const RUNNER = fileURLToPath(new URL("./runner_double.ts", import.meta.url));

Deno.test("submit() starts a trainer that survives kill -9 of its runner and is adopted by the next", async () => {
  await using project = await Project.make("slow");
  const local = localProvider({ trainerDir: DOUBLE });
  const work = await project.work();
  await local.configure(work);
  await Deno.rename(work.out, work.configured);
  const { env, loaded, cacheDir, runDir, configured, out } = work;
  const passed = JSON.stringify({
    trainerDir: DOUBLE,
    work: { env, loaded, cacheDir, runDir, configured, out },
  });
  const runner = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", RUNNER, passed],
    stdout: "piped",
  }).spawn();
  const { value } = await runner.stdout.getReader().read();
  assert.equal(new TextDecoder().decode(value), "submitted\n");
  await until("a trainer", async () => (await starts(project.jobDir)).length === 1);
  runner.kill("SIGKILL");
  await runner.status;
  assert.equal(await project.env.fs.isLocked(join(project.jobDir, "lock")), true);
  await local.submit({ ...await project.work(), job: undefined });
  const { metrics } = await local.monitor(await project.work());
  assert.equal(metrics["after"], 0.5);
  assert.equal((await starts(project.jobDir)).length, 1);
});
