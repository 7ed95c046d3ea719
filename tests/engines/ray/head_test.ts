import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { until } from "../../until.ts";
import { startRunner } from "../../run/runner_process.ts";
import { assertSaid, messages, rayDouble, sent } from "./ray_double.ts";
import { TestCluster, WITHOUT_RAY } from "./test_cluster.ts";

Deno.test({
  name: "the Ray engine sends the training again when the head was started anew, from the newest checkpoint",
  ignore: WITHOUT_RAY,
  async fn() {
    await using cluster = await TestCluster.start(1);
    const tiny = await rayDouble(await Deno.makeTempDir(), "long", cluster);
    const runner = await startRunner({ root: tiny.root, double: "long" });
    await until(
      "five steps",
      async () => (await denoFs.list(join(await tiny.jobDir(), "checkpoints"))).length >= 5,
    );
    await cluster.kill();
    await until(
      "the message",
      async () => (await messages(tiny)).some((said) => / asking again /.test(said)),
    );
    await cluster.startNodes();
    const { code, said } = await runner.finished;
    assert.equal(code, 0, JSON.stringify(said));
    assert.deepEqual(await sent(tiny, cluster), ["2 SUCCEEDED"]);
    assert.equal((await tiny.starts()).length, 2);
    await assertSaid(tiny, [
      /^Cannot reach the Ray cluster at http:\S+: connection refused: asking again until it answers$/,
      /^The Ray cluster at http:\S+ answers again$/,
      /^The cluster was started anew, and Ray job temper-\S+-1 was lost: restarting it \(1 of 3\)$/,
      /^Training resumes from the checkpoint of step \d+$/,
    ]);
    assert.equal((await messages(tiny)).filter((said) => / asking again /.test(said)).length, 1);
    await denoFs.remove(tiny.root);
  },
});
