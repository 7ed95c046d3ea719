import { counted } from "../lib/text/format.ts";
import type { Path } from "../spec/yaml/path.ts";
import type { Task } from "./task.ts";
import { leaveEmpty } from "./apply_rules.ts";
import { numberOf } from "./values.ts";

/** The longest training that the pipeline format can ask for, where steps alone end it. */
const MOST_EPOCHS = 1000;

/** Batch size, length and warm-up of a tool that passes them to transformers' TrainingArguments, with its defaults. */
export function trainerSteps(task: Task): void {
  const rows = { rows: ["per_device_train_batch_size"], times: ["gradient_accumulation_steps"] };
  batchSize(task, rows, { rows: 8, times: 1 });
  duration(task, { epochs: ["num_train_epochs"], steps: ["max_steps"] }, 3);
  warmup(task, { ratio: ["warmup_ratio"], steps: ["warmup_steps"] }, { ratio: 0 });
}

/** Rows of a step: those computed at once, times how often gradients are added up. */
export function batchSize(
  task: Task,
  fields: { readonly rows?: Path; readonly times: Path },
  standard: { readonly rows: number; readonly times: number },
): void {
  const { reader, draft, title } = task;
  const size = (["rows", "times"] as const).map((part) =>
    numberOf((fields[part] && reader.get(fields[part])) ?? standard[part])
  );
  const product = (size[0] ?? NaN) * (size[1] ?? NaN);
  const [rows, times] = [counted(size[0] ?? NaN, "row"), counted(size[1] ?? NaN, "accumulation step")];
  const note = `${rows} at once × ${times}; times the devices, if there were several`;
  let given = false;
  for (const part of ["rows", "times"] as const) {
    const path = fields[part];
    if (!path || !reader.has(path)) continue;
    if (reader.get(path) === undefined) leaveEmpty(path, task);
    else if (!Number.isInteger(product)) {
      draft.leave(reader, path, { why: "the rows of a step are not known", instead: "set train.batch_size" });
    } else {
      draft.carry(reader, path, "train.batch_size", product);
      given = true;
    }
  }
  if (Number.isInteger(product)) {
    draft.set("train.batch_size", product, given ? note : `${title}'s default: ${note}`);
  }
}

/** How long it trains: in all these tools a number of steps overrides the epochs. */
export function duration(
  task: Task,
  fields: { readonly epochs: Path; readonly steps: Path },
  epochs: number,
): void {
  const { reader, draft, title } = task;
  const steps = numberOf(reader.get(fields.steps));
  const limited = steps !== undefined && steps > 0 && Number.isSafeInteger(steps);
  if (limited) draft.carry(reader, fields.steps, "train.max_steps", steps);
  else if (steps !== undefined && steps <= 0) {
    draft.carry(reader, fields.steps, null, steps, "no limit, as where train.max_steps is left out");
  } else if (reader.get(fields.steps) !== undefined) {
    draft.leave(reader, fields.steps, { why: "it is not a whole number", instead: "set train.max_steps" });
  } else if (reader.has(fields.steps)) leaveEmpty(fields.steps, task);
  const given = reader.get(fields.epochs);
  if (limited) {
    draft.set("train.epochs", MOST_EPOCHS, "train.max_steps ends it");
    if (given !== undefined) {
      draft.leave(reader, fields.epochs, {
        why: `the number of steps overrides it in ${title}, too`,
        matters: false,
      });
    }
    return;
  }
  const value = numberOf(given);
  if (given === undefined) {
    if (reader.has(fields.epochs)) leaveEmpty(fields.epochs, task);
    draft.set("train.epochs", epochs, `${title}'s default`);
  } else if (value === undefined) draft.leave(reader, fields.epochs, { why: "it is not a number" });
  else draft.carry(reader, fields.epochs, "train.epochs", value);
}

/** How the learning rate rises. temper counts shares of all steps, most of these tools steps as well. */
export function warmup(
  task: Task,
  fields: { readonly ratio?: Path; readonly steps?: Path },
  standard: { readonly ratio: number } | { readonly steps: number },
): void {
  const { reader, draft, title } = task;
  const to = "train.warmup_ratio";
  for (const path of [fields.ratio, fields.steps]) {
    if (path && reader.has(path) && reader.get(path) === undefined) leaveEmpty(path, task);
  }
  const steps = fields.steps && numberOf(reader.get(fields.steps));
  const ratio = fields.ratio && numberOf(reader.get(fields.ratio));
  const all = draft.values.get("train.max_steps");
  if (fields.steps && steps !== undefined && (steps > 0 || ratio === undefined)) {
    // Since transformers 5, a number below 1 is a share.
    if (steps < 1) draft.carry(reader, fields.steps, to, steps);
    else if (typeof all === "number") {
      draft.carry(reader, fields.steps, to, share(steps, all), `${steps} of ${all} steps`);
    } else draft.leave(reader, fields.steps, inSteps(steps));
    if (fields.ratio && ratio !== undefined) {
      draft.leave(reader, fields.ratio, {
        why: `the number of steps overrides it in ${title}, too`,
        matters: false,
      });
    }
    return;
  }
  if (fields.steps && steps !== undefined) {
    draft.carry(reader, fields.steps, null, steps, "no steps: the ratio counts");
  }
  if (fields.ratio && ratio !== undefined) draft.carry(reader, fields.ratio, to, ratio);
  else if ("ratio" in standard) draft.set(to, standard.ratio, `${title}'s default`);
  else if (typeof all === "number") {
    draft.set(to, share(standard.steps, all), `${title}'s default: ${standard.steps} of ${all} steps`);
  } else draft.miss("warmup_steps", standard.steps, inSteps(standard.steps));
}

function share(steps: number, all: number): number {
  return Math.min(1, Number((steps / all).toPrecision(6)));
}

function inSteps(steps: number) {
  return {
    why: "temper counts the warm-up as a share of all steps, whose number depends on the data",
    instead:
      `\`plan\` shows the number of steps: set train.warmup_ratio to ${steps} divided by it (0.1 until then)`,
  };
}
