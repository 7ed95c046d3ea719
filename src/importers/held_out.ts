import { leaveEmpty } from "./apply_rules.ts";
import type { Task } from "./task.ts";
import { numberOf } from "./values.ts";

/**
 * `field`: the share or number of rows that the tool holds out of the training data. Where rows are held out, by it or
 * in files of their own, they are scored as `title` does.
 */
export function holdOut(task: Task, field: string): void {
  const { reader, draft, title } = task;
  const size = numberOf(reader.get([field]));
  if (size === undefined) {
    if (reader.has([field])) leaveEmpty([field], task);
  } else if (size === 0) {
    draft.carry(reader, [field], null, 0, "no rows are held out, as without dataset.split");
  } else if (draft.values.has("dataset.eval")) {
    draft.leave(reader, [field], { why: "the rows held out are in files of their own", matters: false });
  } else draft.carry(reader, [field], "dataset.split.eval", size);
  if (draft.values.has("dataset.eval") || draft.values.has("dataset.split.eval")) {
    const why = `loss and perplexity, as in ${title}; exact_match scores whole answers`;
    draft.set("evaluate.metric", "none", why);
  }
}
