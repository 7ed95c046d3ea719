import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { threadShare } from "../../../src/providers/trainer/environment/probe.ts";
import { PYTHON, ROOT, WITHOUT_TRAINER } from "../../e2e/kit.ts";

Deno.test({
  name: "threadShare() divides the threads that one training would take, unless they are set",
  ignore: WITHOUT_TRAINER,
  async fn() {
    const trainerDir = join(ROOT, "trainer");
    const share = (sideBySide?: number, env = {}) => {
      const work = { env, asked: sideBySide === undefined ? {} : { sideBySide }, fs: denoFs, signal: NEVER };
      return threadShare(work, PYTHON!, trainerDir);
    };
    assert.deepEqual(await share(), {});
    assert.deepEqual(await share(1), {});
    const code = `${await denoFs.readText(
      join(trainerDir, "temper_trainer/training/threads.py"),
    )}\nprint(thread_count())`;
    const { stdout } = await new Deno.Command(PYTHON!, { args: ["-c", code] }).output();
    const alone = Number(new TextDecoder().decode(stdout));
    assert.ok(alone >= 1);
    assert.deepEqual(await share(2), { OMP_NUM_THREADS: String(Math.max(1, Math.floor(alone / 2))) });
    assert.deepEqual(await share(1000), { OMP_NUM_THREADS: "1" });
    assert.deepEqual(await share(2, { OMP_NUM_THREADS: "5" }), {});
  },
});

const NEVER = new AbortController().signal;
