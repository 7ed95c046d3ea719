// deno-lint-ignore-file no-console -- a program of its own, its words are what the test reads
/** Drives a kit's pipeline as a process of its own, once a line on stdin says how. Exits like the command would. */
import { TemperError } from "../../src/lib/errors.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { doubleAt } from "./double.ts";
import { dyingFs } from "./faulty_fs.ts";
import { kitAt } from "./kit.ts";
import type { Orders } from "./runner_process.ts";

console.log("ready");
const buffer = new Uint8Array(4096);
const read = await Deno.stdin.read(buffer);
if (read === null) Deno.exit(0);
const { root, pace = 0, dieAt, double }: Orders = JSON.parse(
  new TextDecoder().decode(buffer.subarray(0, read)),
);
const fs = dieAt === undefined ? denoFs : dyingFs(dieAt);
const kit = double === undefined ? await kitAt(root, { pace, fs }) : await doubleAt(root, double, { fs });
try {
  const { did, id, state, exitCode } = await runPipeline(kit.options());
  console.log(JSON.stringify({ did, id, state: state.state }));
  Deno.exit(exitCode);
} catch (error) {
  if (!(error instanceof TemperError)) throw error;
  console.log(JSON.stringify({ code: error.code, message: error.message }));
  Deno.exit(error.exitCode);
}
