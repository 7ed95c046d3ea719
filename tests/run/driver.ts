// deno-lint-ignore-file no-console -- a program of its own, its words are what the test reads
/** Drives a kit's pipeline as a process of its own: `driver.ts ROOT PACE`. Exits like the command would. */
import { TemperError } from "../../src/lib/errors.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { kitAt } from "./kit.ts";

const [root, pace] = Deno.args;
if (root === undefined) throw new Error("usage: driver.ts ROOT PACE");
const kit = await kitAt(root, { pace: Number(pace) });
console.log("ready");
try {
  const { did, id, state, exitCode } = await runPipeline(kit.options());
  console.log(JSON.stringify({ did, id, state: state.state }));
  Deno.exit(exitCode);
} catch (error) {
  if (!(error instanceof TemperError)) throw error;
  console.log(JSON.stringify({ code: error.code, message: error.message }));
  Deno.exit(error.exitCode);
}
