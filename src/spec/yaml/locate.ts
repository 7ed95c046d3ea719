import { isMap, isScalar, isSeq, type Node, type YAMLMap } from "../../deps/yaml.ts";
import type { FieldProblem } from "../rules/field_problem.ts";
import type { Override } from "../matrix/override.ts";
import { dotted, type Path, startsWith } from "./path.ts";
import { type Problem, problemAt, type SourceText, type Span } from "../problem.ts";
import { follow, type ParsedYaml } from "./yaml.ts";
import { isMergeKey, spanOf } from "./yaml_problem.ts";

/** Finds the position of a problem in the file or in a `--set`. */
export function locate(
  finding: FieldProblem,
  file: { readonly source: SourceText; readonly yaml: ParsedYaml },
  overrides: readonly Override[],
): Problem {
  const { path, message, hint, rows } = finding;
  const mark = finding.mark ?? path;
  const words = { path: dotted(path), message, hint, rows };
  const override = overrides.findLast((o) => startsWith(mark, o.path));
  if (!override) return problemAt(file.source, spanAt(file.yaml, mark, finding.at), words);
  if (finding.at === "key" && mark.length <= override.path.length) {
    return problemAt(override.source, { start: 0, end: override.offset - 1 }, words);
  }
  const inner = spanAt(override.yaml, mark.slice(override.path.length), finding.at);
  const { offset } = override;
  return problemAt(override.source, { start: offset + inner.start, end: offset + inner.end }, words);
}

/** The span of a key or a value; of what surrounds it, when it is not there. */
export function spanAt(yaml: ParsedYaml, path: Path, at: FieldProblem["at"]): Span {
  let node: unknown = yaml.root;
  let key: Node | undefined;
  for (const [i, name] of path.entries()) {
    const child = childOf(node, name, yaml.root);
    if (!child) return key ? spanOf(key) : firstKey(yaml.root);
    node = child.value;
    key = child.key ?? node as Node;
    if (i === path.length - 1 && at === "key" && child.key) return spanOf(child.key);
  }
  return valueSpan(node, key) ?? firstKey(yaml.root);
}

interface Child {
  readonly key: Node | undefined;
  readonly value: unknown;
}

function childOf(parent: unknown, name: string | number, root: Node | null): Child | undefined {
  const node = follow(parent, root);
  if (isSeq(node)) {
    const item = node.items[Number(name)];
    return item === undefined ? undefined : { key: undefined, value: item };
  }
  if (!isMap(node)) return undefined;
  // The last of duplicates is the one whose value counts.
  const pair = node.items.findLast((item) => isScalar(item.key) && String(item.key.value) === String(name));
  return pair ? { key: pair.key as Node, value: pair.value } : mergedChild(node, name, root);
}

/** A key that the section has from another one, where it is written: of several, the first counts. */
function mergedChild(map: YAMLMap, name: string | number, root: Node | null): Child | undefined {
  const merged = follow(map.items.find(({ key }) => isMergeKey(key))?.value, root);
  for (const source of isSeq(merged) ? merged.items : [merged]) {
    const child = isMap(follow(source, root)) ? childOf(source, name, root) : undefined;
    if (child) return child;
  }
  return undefined;
}

/** A block is below its key and an empty value has no place: both are marked at the key. */
function valueSpan(value: unknown, key: Node | undefined): Span | undefined {
  const node = value as Node | null;
  const span = node?.range ? spanOf(node) : undefined;
  const isBlock = (isMap(node) || isSeq(node)) && !node.flow;
  if (key && (!span || isBlock || span.end === span.start)) return spanOf(key);
  return span;
}

function firstKey(root: Node | null): Span {
  if (isMap(root)) {
    const first = root.items[0]?.key as Node | undefined;
    if (first) return spanOf(first);
  }
  return root ? spanOf(root) : { start: 0, end: 0 };
}
