import { join } from "../../deps/path.ts";
import { existingParent } from "../../lib/files/folder.ts";
import { bytes, counted, duration } from "../../lib/text/format.ts";
import type { Diagnostic } from "../../providers/diagnostic.ts";
import type { Env } from "../../providers/provider.ts";
import { trainerLeftovers } from "../../providers/trainer/environment/leftovers.ts";
import { listRuns, readRun } from "../../log/read_run.ts";
import type { RunState } from "../../log/run_state.ts";
import { planPrune } from "../../run/prune.ts";
import { readPlan } from "../../run/run_folder.ts";
import { runAgainBy, SECRET_SET, type Variant } from "../../view/next_commands.ts";

/** File times are rounded, and a network server's clock is never quite this one. */
const CLOCK_MS = 5_000;

/** Whether this machine's clock agrees with the runs' file system, and with the newest of them. */
export async function clockFinding({ fs, clock }: Env, runsDir: string): Promise<Diagnostic> {
  const path = join(await existingParent(fs, runsDir), `.temper-doctor-${clock.randomHex(4)}`);
  const now = clock.now();
  const name = "clock";
  const fix = "Set the clock (timedatectl set-ntp true): ages, durations and the order of runs depend on it";
  let written: number;
  try {
    await fs.writeAtomic(path, "");
    written = (await fs.stat(path))?.mtime ?? now;
  } catch {
    // Another finding reports that nothing can be written there.
    return { name, state: "ok", found: new Date(now).toISOString() };
  } finally {
    await fs.remove(path).catch(() => {});
  }
  const off = Math.abs(written - now);
  if (off > CLOCK_MS) {
    return { name, state: "warn", found: `${duration(off)} off from the clock of the runs' disk`, fix };
  }
  const [latest] = await listRuns(fs, runsDir);
  const ahead = latest ? (Date.parse(latest.started) || 0) - now : 0;
  if (ahead <= CLOCK_MS) return { name, state: "ok", found: new Date(now).toISOString() };
  const found = `set back: run ${latest?.id} started ${duration(ahead)} in the future`;
  return { name, state: "warn", found, fix };
}

/** Interrupted runs and unused outputs. */
export async function* staleFindings(env: Env, runsDir: string): AsyncGenerator<Diagnostic> {
  const { interrupted, damaged } = await unfinished(env, runsDir);
  const [newest] = interrupted;
  if (newest) {
    const { state, variant } = newest;
    const again = {
      command: `\`temper resume ${state.id}\``,
      program: "running your program again",
      user: `the command that started it (${SECRET_SET})`,
    }[runAgainBy(state, variant)];
    const fix = `${again} resumes it, \`temper cancel ${state.id}\` cancels it`;
    const found = `${counted(interrupted.length, "run")} interrupted, the newest ${state.id}`;
    yield { name: "unfinished", state: "warn", found, fix };
  }
  const [first] = damaged;
  if (first) {
    const fix = `Restore the file, or remove the run: rm -r "${first.dir}"`;
    const found = `${counted(damaged.length, "run")} that cannot be read: ${first.words}`;
    yield { name: "damaged", state: "warn", found, fix };
  }
  const { removals, freed } = await planPrune(env, { runsDir, leftovers: trainerLeftovers });
  if (removals.length === 0) yield { name: "stale", state: "ok", found: "no unused outputs" };
  else {
    const found = `${counted(removals.length, "stored output or leftover")} that no run refers to, ${
      bytes(freed)
    }`;
    yield {
      name: "stale",
      state: "warn",
      found,
      fix: "See them with: `temper prune`",
    };
  }
}

async function unfinished({ fs }: Env, runsDir: string) {
  const interrupted: { readonly state: RunState; readonly variant: Variant }[] = [];
  const damaged: { readonly dir: string; readonly words: string }[] = [];
  for (const { dir } of await listRuns(fs, runsDir)) {
    try {
      const state = await readRun(fs, dir);
      if (state?.state !== "interrupted") continue;
      interrupted.push({ state, variant: await readPlan(fs, dir) ?? {} });
    } catch (error) {
      damaged.push({ dir, words: error instanceof Error ? error.message : String(error) });
    }
  }
  return { interrupted, damaged };
}
