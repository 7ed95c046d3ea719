import { secretIn, SHORTEST_SECRET } from "../../lib/net/secrets.ts";
import type { FieldProblem } from "./field_problem.ts";
import { dotted, isSection, type Path, valueAt } from "../yaml/path.ts";

const ADDRESSES: readonly { readonly path: Path; readonly instead: string }[] = [
  {
    path: ["provider", "server"],
    instead: "remove it: provider.auth_env names the environment variable that holds it",
  },
  {
    path: ["provider", "base_url"],
    instead: "remove it: provider.api_key_env names the environment variable that holds the key",
  },
  {
    path: ["engine", "address"],
    instead: "remove it: engine.auth_env names the environment variable that holds it",
  },
];

const SHOWN = ": the run's folder and the status page would show it";

/** Secrets in values and in names of keys: what is in the file is copied into the run's folder and shown. */
export function secretFindings(data: unknown): FieldProblem[] {
  const findings = ADDRESSES.flatMap(({ path, instead }) => addressFinding(data, path, instead));
  const known = new Set(findings.map(({ path }) => dotted(path)));
  return [
    ...findings,
    ...valuesOf(data, [], (text) => secretIn(text) !== undefined).filter(({ path }) =>
      !known.has(dotted(path))
    ),
  ];
}

function addressFinding(data: unknown, path: Path, instead: string): FieldProblem[] {
  const text = valueAt(data, path);
  if (typeof text !== "string" || !URL.canParse(text)) return [];
  const { username, password, search, hash } = new URL(text);
  const refuse = (what: string, hint: string): FieldProblem[] => [{
    path,
    at: "value",
    message: `${what} in ${dotted(path)}${what.startsWith("Unused") ? "" : SHOWN}`,
    hint,
  }];
  if (username !== "" || password !== "") return refuse("Password", instead);
  if (secretIn(text) !== undefined) return refuse("Key", instead);
  if (search !== "" || hash !== "") {
    return refuse(`Unused "${search === "" ? "#" : "?"}…"`, "end the address with its path");
  }
  return [];
}

/** Values and names of keys that contain this very secret, whatever it looks like. */
export function valuesWith(data: unknown, secret: string | undefined): FieldProblem[] {
  const text = secret?.trim() ?? "";
  return text.length < SHORTEST_SECRET ? [] : valuesOf(data, [], (value) => value.includes(text));
}

function valuesOf(value: unknown, path: Path, isSecret: (text: string) => boolean): FieldProblem[] {
  const secretAt = (path: Path, at: FieldProblem["at"], what: string): FieldProblem => ({
    path,
    at,
    message: `Key in ${what}${SHOWN}`,
    hint: "remove it, and revoke it: the file may have been copied",
  });
  if (typeof value === "string") return isSecret(value) ? [secretAt(path, "value", dotted(path))] : [];
  if (Array.isArray(value)) return value.flatMap((item, i) => valuesOf(item, [...path, i], isSecret));
  if (isSection(value)) {
    const inside = path.length === 0 ? "the file" : dotted(path);
    return Object.entries(value).flatMap(([key, item]) => [
      ...isSecret(key) ? [secretAt([...path, key], "key", `a name in ${inside}`)] : [],
      ...valuesOf(item, [...path, key], isSecret),
    ]);
  }
  return [];
}
