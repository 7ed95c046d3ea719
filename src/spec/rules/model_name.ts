/** The parts of a model's name, as Ollama splits it (types/model/name.go). */
interface Parts {
  readonly host: string;
  readonly namespace: string;
  readonly model: string;
  readonly tag: string;
}

const MISSING = "!MISSING!";
const PARTS = ["host", "namespace", "model", "tag"] as const;
/** Ollama's limits; a host is also a folder name, which may have 255 characters. */
const MOST = { host: 255, namespace: 80, model: 80, tag: 80 };
const ALLOWED = {
  host: /^[A-Za-z0-9_][A-Za-z0-9_.:-]*$/,
  namespace: /^[A-Za-z0-9_][A-Za-z0-9_-]*$/,
  model: /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/,
  tag: /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/,
};
const CHARACTERS = {
  host: "letters, digits, '_', '-', '.' and ':'",
  namespace: "letters, digits, '_' and '-'",
  model: "letters, digits, '_', '-' and '.'",
  tag: "letters, digits, '_', '-' and '.'",
};

/** Why Ollama refuses a name; undefined when it is valid. [HOST/][NAMESPACE/]MODEL[:TAG] */
export function modelNameFault(name: string): string | undefined {
  const parts = partsOf(name);
  for (const part of PARTS) {
    const text = parts[part];
    if (text === MISSING) return `its ${part} is empty`;
    if (text.includes("/")) return "it has more parts than HOST/NAMESPACE/MODEL:TAG";
    if (text.length > MOST[part]) return `its ${part} has ${text.length} letters, more than ${MOST[part]}`;
    if (!ALLOWED[part].test(text)) {
      return `its ${part} "${text}" begins with a letter, digit or '_' and has only ${CHARACTERS[part]}`;
    }
  }
  return undefined;
}

function partsOf(name: string): Parts {
  let rest = name;
  let tag = "latest";
  if (rest.lastIndexOf(":") > rest.lastIndexOf("/")) [rest, tag] = cutLast(rest, ":");
  const parts = { host: "registry.ollama.ai", namespace: "library", tag };
  if (!rest.includes("/")) return { ...parts, model: rest === "" ? MISSING : rest };
  let model: string;
  [rest, model] = cutLast(rest, "/");
  if (!rest.includes("/")) return { ...parts, model, namespace: rest };
  let namespace: string;
  [rest, namespace] = cutLast(rest, "/");
  const [, scheme, host] = /^(.*?):\/\/(.*)$/s.exec(rest) ?? [];
  return { ...parts, model, namespace, host: (scheme === undefined ? rest : host) || parts.host };
}

/** A separator promises a part on both sides. */
function cutLast(text: string, separator: string): [string, string] {
  const at = text.lastIndexOf(separator);
  return [text.slice(0, at) || MISSING, text.slice(at + 1) || MISSING];
}

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

/** Without the namespace, which may contain a port. */
function lastPart(model: string): string {
  return model.slice(model.lastIndexOf("/") + 1);
}
