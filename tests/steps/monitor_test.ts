import assert from "../deps/assert.ts";
import type { Env } from "../../src/providers/provider.ts";
import type { LoadedSpec } from "../../src/spec/load.ts";
import { monitor } from "../../src/steps/monitor.ts";
import type { StepContext } from "../../src/steps/step.ts";
import { submit } from "../../src/steps/submit.ts";

Deno.test("submit and monitor are never cached, and monitor needs a job", async () => {
  assert.deepEqual([submit.cached, monitor.cached], [false, false]);
  assert.deepEqual(await submit.inputs({} as LoadedSpec, {} as Env), {});
  const context = { job: undefined } as StepContext;
  await assert.rejects(monitor.run(context), { code: "no-job" });
});
