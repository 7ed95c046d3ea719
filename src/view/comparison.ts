import type { ErrorInfo } from "../log/events.ts";
import type { RunState, RunStatus } from "../log/run_state.ts";
import type { RunSetting } from "../log/run_settings.ts";
import { type DifferingSetting, differingSettings } from "./settings.ts";
import { type TakenBaseline, takenBaseline } from "./baseline_text.ts";
import { numberOf, objectOf, type Scores, scoresOf } from "./scores.ts";

/** One combination and the run that was made of it. */
export interface CellInput {
  readonly cell: string;
  readonly name: string;
  readonly method: string;
  /** What tells it from the others, by dotted path. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Absent before its run was started. */
  readonly state: RunState | undefined;
  readonly error: ErrorInfo | undefined;
  /** What its run was made with, where that is known. */
  readonly settings?: readonly RunSetting[] | undefined;
}

/** What a run cost. What was not measured is undefined. */
export interface Cost {
  /** Trainable parameters. */
  readonly trainable: number | undefined;
  /** Most memory the process held, in bytes. */
  readonly memory: number | undefined;
  /** Seconds of training only, across all interruptions. */
  readonly train: number | undefined;
  /** Seconds from loading the base to the last exported byte. Scores of the base count what they cost, wherever they
   * were computed: otherwise the first of several runs would seem slow. */
  readonly total: number | undefined;
  readonly speed: number | undefined;
  /** Bytes of what was trained, as it is saved. */
  readonly weights: number | undefined;
  /** Bytes of the complete model. */
  readonly gguf: number | undefined;
}
export const COSTS = [
  "trainable",
  "memory",
  "train",
  "total",
  "speed",
  "weights",
  "gguf",
] as const satisfies readonly (keyof Cost)[];

/** Each cost as a share of the reference's, and the score after training as one of the reference's. */
export type Relative = Cost & { readonly quality: number | undefined };

export interface ComparedCell extends Omit<CellInput, "state" | "settings"> {
  readonly run: string | undefined;
  readonly state: RunStatus | "pending";
  readonly cost: Cost;
  readonly scores: Scores;
  /** Where the scores of the base come from, unless the run computed them itself. */
  readonly baseline: TakenBaseline | undefined;
  /** Absent for what is not done, and for all when nothing is. */
  readonly relative: Relative | undefined;
}

export interface Comparison {
  /** Name of the pipeline file. */
  readonly name: string;
  /** Absent where the cells have different ones. */
  readonly metric: string | undefined;
  /** Rows held out. */
  readonly rows: number | undefined;
  /** The cell that the others are measured against. */
  readonly reference: string | undefined;
  readonly cells: readonly ComparedCell[];
  /** Those that are not the same in all cells, with a value for each cell. */
  readonly settings: readonly DifferingSetting[];
  /** Path of the matrix by whose values the cells are shown together. */
  readonly groupBy: string | undefined;
}

/** Cells with the same value of one path of the matrix. */
export interface CellGroup {
  readonly value: string;
  readonly cells: readonly ComparedCell[];
  /** The one with the highest score, where there are scores, otherwise with the least loss. */
  readonly best: ComparedCell | undefined;
}

/** The cells in groups, in the order of the matrix; all of them in one without a name where nothing groups them. */
export function groupsOf(cells: readonly ComparedCell[], groupBy: string | undefined): CellGroup[] {
  if (groupBy === undefined) return [{ value: "", cells, best: undefined }];
  return [...Map.groupBy(cells, ({ values }) => valueText(values[groupBy]))].map(([value, cells]) => ({
    value,
    cells,
    best: cells.reduce<ComparedCell | undefined>(
      (best, cell) => isBetter(cell, best) ? cell : best,
      undefined,
    ),
  }));
}

function valueText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "not set";
}

function isBetter({ scores }: ComparedCell, best: ComparedCell | undefined): boolean {
  const rank = ({ after, loss }: Scores) => after ?? (loss.after === undefined ? undefined : -loss.after);
  const [own, other] = [rank(scores), best && rank(best.scores)];
  return own !== undefined && (other === undefined || own > other);
}

/** Puts finished runs beside each other. The reference is the first full fine-tuning, otherwise the first cell done. */
export function compareCells(name: string, inputs: readonly CellInput[], groupBy?: string): Comparison {
  const cells = inputs.map(({ settings: _, ...input }) => ({ ...input, ...measured(input) }));
  const done = cells.filter(({ state }) => state === "done");
  const reference = done.find(({ method }) => method === "full") ?? done[0];
  const metrics = new Set(done.flatMap(({ scores }) => scores.metric ?? []));
  return {
    name,
    metric: metrics.size === 1 ? [...metrics][0] : undefined,
    rows: done.map(({ scores }) => scores.rows).find((rows) => rows !== undefined),
    reference: reference?.cell,
    groupBy,
    cells: cells.map((cell) => ({
      ...cell,
      relative: reference && cell.state === "done" ? relativeTo(reference, cell) : undefined,
    })),
    settings: differingSettings(inputs.map(({ settings }) => settings)),
  };
}

/** Kinds of artifacts that are not what was trained. */
const DERIVED = ["gguf", "modelfile", "merged", "predictions"];

function measured({ state }: Pick<CellInput, "state">) {
  const metrics = state?.metrics ?? {};
  const artifacts = state?.artifacts ?? [];
  const seconds = Object.values(objectOf(metrics["seconds"])).filter((value) => typeof value === "number");
  const baseline = takenBaseline(metrics);
  const parameters = objectOf(metrics["parameters"]);
  const cost: Cost = {
    trainable: numberOf(parameters["trainable"]),
    memory: numberOf(metrics["peak_rss"]),
    train: numberOf(objectOf(metrics["seconds"])["train"]),
    total: seconds.length === 0
      ? undefined
      : seconds.reduce((sum, value) => sum + value, baseline?.seconds ?? 0),
    speed: numberOf(metrics["tokens_per_second"]),
    // Earlier runs do not say; their folders hold nothing else.
    weights: numberOf(parameters["bytes"]) ?? artifacts.find(({ kind }) => !DERIVED.includes(kind))?.bytes,
    gguf: artifacts.find(({ kind }) => kind === "gguf")?.bytes,
  };
  const scores = scoresOf(metrics);
  return { run: state?.id, state: state?.state ?? "pending", cost, scores, baseline } as const;
}

type Measured = Pick<ComparedCell, "cost" | "scores">;

function relativeTo(reference: Measured, { cost, scores }: Measured): Relative {
  const costs = COSTS.map((name) => [name, share(cost[name], reference.cost[name])]);
  return {
    ...Object.fromEntries(costs) as Cost,
    quality: scores.metric === reference.scores.metric
      ? share(scores.after, reference.scores.after)
      : undefined,
  };
}

/** Nothing is a share of nothing. */
function share(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || !whole ? undefined : part / whole;
}
