import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { effectsOf, kitAt } from "../run/kit.ts";
import { readyRunner } from "../run/runner_process.ts";
import { Proof, withFolder } from "./proof.ts";
import { until } from "../until.ts";
import { runNames } from "../hermetic.ts";

const ROUNDS = 12;
const RUNNERS = 3;
const ONCE = ["extract", "format", "configure", "job", "submit", "monitor"];

Deno.test("of several runners that start at once one drives the run, the others exit 3 or report it", () =>
  Proof.run("several runners", (proof) =>
    withFolder(async (dir) => {
      for (let round = 0; round < ROUNDS; round++) {
        const root = join(dir, String(round));
        await proof.try(`round ${round}`, async () => {
          const runners = await Promise.all(Array.from({ length: RUNNERS }, readyRunner));
          // Sometimes within the same millisecond, sometimes while the first is at work.
          const spread = proof.random() < 0.5 ? 0 : 60;
          await Promise.all(runners.map(async (runner) => {
            await new Promise((resolve) => setTimeout(resolve, proof.random() * spread));
            await runner.go({ root, pace: 20 });
          }));
          const ends = await Promise.all(runners.map(({ finished }) => finished));
          const said = JSON.stringify(ends);
          assert.equal(ends.filter(({ said }) => said?.did === "started").length, 1, said);
          for (const { code, said } of ends) {
            assert(code === 0 ? said?.state === "done" : code === 3 && said?.code === "locked", said?.code);
          }
          const kit = await kitAt(root);
          assert.deepEqual(await effectsOf(kit), ONCE, said);
          assert.equal((await runNames(kit.runsDir)).length, 1, said);
        });
      }
    })));

Deno.test("a runner that is stopped keeps its run, and goes on with it when it is woken", () =>
  Proof.run("stopped runner", (proof) =>
    withFolder((root) =>
      proof.try("SIGSTOP", async () => {
        const kit = await kitAt(root);
        const [first, second, third] = await Promise.all([readyRunner(), readyRunner(), readyRunner()]);
        await first.go({ root, pace: 100 });
        await until("its first step", async () => (await effectsOf(kit)).length > 0);
        first.kill("SIGSTOP");
        await second.go({ root });
        const { code, said } = await second.finished;
        assert.deepEqual([code, said?.code], [3, "locked"]);
        first.kill("SIGCONT");
        assert.equal((await first.finished).said?.state, "done");
        await third.go({ root });
        assert.equal((await third.finished).said?.did, "reported");
        assert.deepEqual(await effectsOf(kit), ONCE);
      })
    )));
