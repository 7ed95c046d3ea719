import type { Fs } from "../lib/files/fs.ts";
import { changedParts, type PartChange } from "../plan/key.ts";
import type { Plan } from "../plan/plan.ts";
import { type EarlierRun, earlierRuns } from "./run_folder.ts";

/** How one step's key differs from what an earlier run used. */
export interface StepChange {
  readonly kind: string;
  readonly before: string | undefined;
  readonly after: string;
  /** The parts that changed, without the link to the step before. Empty: only a step before it changed. */
  readonly parts: readonly PartChange[];
  /** In words; `undefined` when the key is the same. */
  readonly reason: string | undefined;
}

export interface Changes {
  /** The run it is compared with. */
  readonly run: string;
  readonly steps: readonly StepChange[];
}

const NAMED_IN_REASON = 3;

/** Compares a plan with that of the latest run of the same name; `undefined` when there is none. */
export async function changesSince(
  fs: Fs,
  runsDir: string,
  name: string,
  plan: Plan,
): Promise<Changes | undefined> {
  const [latest] = await earlierRuns(fs, runsDir, name);
  return latest && changesBetween(latest, plan);
}

/** Compares a plan with that of an earlier run. Pure. */
export function changesBetween(earlier: EarlierRun, plan: Pick<Plan, "steps">): Changes {
  const steps: StepChange[] = [];
  for (const { kind, key, parts } of plan.steps) {
    const old = earlier.plan.steps.find((step) => step.kind === kind);
    const changed = old?.key === key
      ? []
      : changedParts(old?.parts, parts).filter(({ path }) => path !== "after");
    const cause = steps.find((step) => step.reason !== undefined)?.kind;
    const reason = old?.key === key ? undefined : reasonOf(changed, cause);
    steps.push({ kind, before: old?.key, after: key, parts: changed, reason });
  }
  return { run: earlier.id, steps };
}

function reasonOf(changed: readonly PartChange[], cause: string | undefined): string {
  if (changed.length === 0) return cause === undefined ? "its key changed" : `${cause} changed`;
  const names = changed.slice(0, NAMED_IN_REASON).map(({ path }) => path.replace(/^inputs\./, ""));
  const more = changed.length > names.length ? ` and ${changed.length - names.length} more` : "";
  return `${names.join(", ")}${more} changed`;
}
