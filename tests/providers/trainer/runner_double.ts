/** A runner that submits a job, says so, and follows it until it is killed. Arguments: a JSON of Project's parts. */
import { systemClock } from "../../../src/lib/clock.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { localProvider } from "../../../src/providers/local/provider.ts";

const { trainerDir, work } = JSON.parse(Deno.args[0]!);
const provider = localProvider({ trainerDir });
const context = {
  ...work,
  fs: denoFs,
  clock: systemClock,
  signal: new AbortController().signal,
  progress: () => {},
  submitted: () => Promise.resolve(),
};
const job = await provider.submit({ ...context, job: undefined });
await Deno.stdout.write(new TextEncoder().encode("submitted\n"));
await provider.monitor({ ...context, job });
