import type { Path } from "../spec/yaml/path.ts";
import type { Task } from "./task.ts";

/** The model to start from: a file or folder here, or a name on the hub. */
export async function carryBase({ reader, draft, places }: Task, path: Path): Promise<void> {
  const name = reader.get(path);
  if (typeof name === "string") draft.carry(reader, path, "provider.base", await places.model(name));
}

/** A chat template in a file. Texts and other endings are refused by the pipeline format. */
export async function carryTemplateFile({ reader, draft, places }: Task, path: Path): Promise<void> {
  const name = reader.get(path);
  if (name === undefined) return;
  if (typeof name === "string" && /^[^\n{]+\.jinja$/.test(name)) {
    const found = await places.find(name);
    draft.carry(
      reader,
      path,
      "provider.template",
      found ? places.written(found.path) : places.expected(name),
    );
    return;
  }
  draft.leave(reader, path, {
    why: "temper reads templates from .jinja files",
    instead: "save it as one, and set provider.template to it",
  });
}
