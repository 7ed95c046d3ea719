import { join } from "../deps/path.ts";
import type { Clock } from "../lib/clock.ts";
import { TemperError } from "../lib/errors.ts";
import type { Fs } from "../lib/files/fs.ts";

/** UTC time, pipeline name, four random hex digits: `20261122-080000-home-lora-3fa2`. Sorts by age. */
export function runId(clock: Clock, name: string): string {
  const [date, time] = new Date(clock.now()).toISOString().replace(/[-:]/g, "").split(/[T.]/);
  return `${date}-${time}-${name}-${clock.randomHex(2)}`;
}

/** The pipeline's name in a run id; `undefined` for anything else that may lie in the folder. */
export function nameInId(id: string): string | undefined {
  return /^\d{8}-\d{6}-(.+)-[0-9a-f]{4}$/.exec(id)?.[1];
}

/** Makes a new run folder. Creating it is the claim, so two processes never get the same one. */
export async function claimRunDir(
  fs: Fs,
  clock: Clock,
  runsDir: string,
  name: string,
): Promise<{ readonly id: string; readonly dir: string }> {
  for (let i = 0; i < 100; i++) {
    const id = runId(clock, name);
    const dir = join(runsDir, id);
    if (await fs.claimDir(dir)) return { id, dir };
  }
  throw new TemperError("no-run-id", `Cannot create a run folder in "${runsDir}": 100 names were taken`);
}
