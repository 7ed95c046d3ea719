import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { threadShare } from "../../../src/providers/trainer/environment/probe.ts";
import { PYTHON, ROOT, WITHOUT_TRAINER } from "../../e2e/kit.ts";

const NEVER = new AbortController().signal;

Deno.test({
  name: "threadShare() divides the threads that one training alone would take, unless they are set",
  ignore: WITHOUT_TRAINER,
  async fn() {
    const twelve = await Deno.makeTempDir({ prefix: "temper-threads-" });
    await denoFs.mkdirp(join(twelve, "temper_trainer", "training"));
    await Deno.writeTextFile(
      join(twelve, "temper_trainer", "training", "threads.py"),
      "def thread_count() -> int:\n    return 12\n",
    );
    const share = (sideBySide: number | undefined, { env = {}, workers = 1, trainer = twelve } = {}) => {
      const work = { env, asked: sideBySide === undefined ? {} : { sideBySide }, fs: denoFs, signal: NEVER };
      return threadShare(work, PYTHON!, trainer, workers);
    };
    assert.deepEqual(await share(undefined), {});
    assert.deepEqual(await share(1), {});
    assert.deepEqual(await share(2), { OMP_NUM_THREADS: "6" });
    assert.deepEqual(await share(5), { OMP_NUM_THREADS: "2" });
    assert.deepEqual(await share(2, { workers: 3 }), { OMP_NUM_THREADS: "2" });
    assert.deepEqual(await share(1000), { OMP_NUM_THREADS: "1" });
    assert.deepEqual(await share(2, { env: { OMP_NUM_THREADS: "5" } }), {});
    const real = Number((await share(2, { trainer: join(ROOT, "trainer") }))["OMP_NUM_THREADS"]);
    assert.ok(real >= 1 && real <= Math.max(1, navigator.hardwareConcurrency / 2));
    await Deno.remove(twelve, { recursive: true });
  },
});
