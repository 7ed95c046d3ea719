import { UsageError } from "../lib/errors.ts";
import { dotted, type Path } from "../spec/yaml/path.ts";
import type { Task } from "./task.ts";
import { truth } from "./values.ts";

interface Objective {
  readonly field: string | Path;
  /** Values with which it is still learning from answers. */
  readonly allowed: readonly unknown[];
  /** What the others ask for. */
  readonly what: string;
}

/** Throws where the file asks for another kind of training: a pipeline that learns something else is no import. */
export function refuseObjective({ reader, draft, title }: Task, objectives: readonly Objective[]): void {
  for (const { field, allowed, what } of objectives) {
    const path = typeof field === "string" ? field.split(".") : field;
    const value = reader.get(path);
    if (value === undefined) continue;
    if (allowed.some((known) => known === value || known === truth(value))) {
      draft.carry(reader, path, null, value, "temper trains on answers");
      continue;
    }
    const found = typeof value === "object" ? "" : `: ${String(value)}`;
    throw new UsageError(
      "import-objective",
      `Cannot import "${reader.name}": line ${reader.line(path)}, ${dotted(path)}${found} asks for ${what}`,
      {
        hint:
          `temper trains on answers to imitate. Import ${title}'s configuration of that part, or stay with ${title}`,
      },
    );
  }
}
