import { OLLAMA_SERVER } from "../../spec/base.ts";

/** A model's name as Ollama keeps it: `home` is `home:latest`. */
export function fullName(model: string): string {
  return lastPart(model).includes(":") ? model : `${model}:latest`;
}

/** Where the model that had this name before is kept: `team/home:v2` becomes `team/home-previous:v2`. */
export function previousName(model: string): string {
  const name = lastPart(model).split(":")[0]!;
  const at = model.length - lastPart(model).length + name.length;
  return `${model.slice(0, at)}-previous${model.slice(at)}`;
}

/** The command that talks to a model. `think: false`: it answers as trained only when that is said. */
export function ollamaRun(model: string, server: string, think?: false): string {
  const host = server === OLLAMA_SERVER ? "" : `OLLAMA_HOST=${server} `;
  return `${host}ollama run ${model}${think === false ? " --think=false" : ""}`;
}

/** Without the name space, which may hold a port. */
function lastPart(model: string): string {
  return model.slice(model.lastIndexOf("/") + 1);
}
