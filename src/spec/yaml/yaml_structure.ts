import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  visit,
  type YAMLMap,
} from "../../deps/yaml.ts";
import { didYouMean } from "../../lib/text/nearest.ts";
import { MOST_PROBLEMS } from "../problem.ts";
import { isMergeKey, spanOf, type YamlFault } from "./yaml_problem.ts";

const MOST_DEPTH = 32;
const TAGS = ["str", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`);

/** Duplicate keys, tags, aliases without or inside their anchor, and nesting that no pipeline has. */
export function structureFaults(document: Document, text: string): YamlFault[] {
  const faults: YamlFault[] = [];
  const anchors = new Map<string, Node>();
  visit(document, {
    Pair: (_, pair) => void faults.push(...mergeFaults(pair, anchors)),
    Node(_, node, above) {
      if (isAlias(node)) {
        faults.push(...aliasFaults(node, anchors, above));
        return faults.length < MOST_PROBLEMS ? undefined : visit.BREAK;
      }
      if (node.anchor) anchors.set(node.anchor, node);
      if (node.tag !== undefined && !TAGS.includes(node.tag)) {
        faults.push({
          ...spanOf(node),
          message: `Unknown tag on this value: found "${node.tag}"`,
          hint: "remove the tag",
          reach: "local",
        });
      }
      if (above.length > MOST_DEPTH && above.filter((a) => !isPair(a)).length > MOST_DEPTH) {
        const message = `Cannot read this value: it is nested more than ${MOST_DEPTH} levels deep`;
        faults.push({ ...spanOf(node), message, reach: "fatal" });
        return visit.BREAK;
      }
      if (isMap(node)) faults.push(...duplicateKeys(node, text));
      return faults.length < MOST_PROBLEMS ? undefined : visit.BREAK;
    },
  });
  return faults;
}

function aliasFaults(
  alias: Node & { source: string },
  anchors: ReadonlyMap<string, Node>,
  above: readonly unknown[],
): YamlFault[] {
  const target = anchors.get(alias.source);
  if (target && !above.includes(target)) return [];
  const message = target
    ? `Cannot follow the alias *${alias.source}: it is inside its own anchor`
    : `Unknown alias *${alias.source}: there is no anchor &${alias.source} before it`;
  const hint = target ? undefined : didYouMean(alias.source, anchors.keys());
  return [{ ...spanOf(alias), message, hint, reach: "fatal" }];
}

/** What `<<` merges is a section or a list of sections. */
function mergeFaults({ key, value }: Pair, anchors: ReadonlyMap<string, Node>): YamlFault[] {
  if (!isMergeKey(key)) return [];
  const target = (node: unknown) => isAlias(node) ? anchors.get(node.source) : node;
  const merged = target(value);
  // What is wrong with an unknown alias is said where it is.
  const parts = (isSeq(merged) ? merged.items : [merged]).map(target);
  if (parts.every((part) => isMap(part) || part === undefined)) return [];
  return [{
    ...spanOf(key as Node),
    message: "Cannot merge this value: << takes a section or a list of sections",
    hint: "such as <<: *name, where &name marks a section above",
    reach: "fatal",
  }];
}

function duplicateKeys(map: YAMLMap, text: string): YamlFault[] {
  const seen = new Map<string, number>();
  const faults: YamlFault[] = [];
  for (const { key } of map.items) {
    if (!isScalar(key)) continue;
    if (faults.length === MOST_PROBLEMS) break;
    const name = String(key.value);
    const first = seen.get(name);
    if (first !== undefined) {
      const line = text.slice(0, first).split("\n").length;
      faults.push({
        ...spanOf(key),
        message: `Duplicate key "${name}": already on line ${line}`,
        hint: isMergeKey(key) ? "merge several with one list: <<: [*a, *b]" : "keep one of them",
        reach: "local",
      });
    } else seen.set(name, spanOf(key).start);
  }
  return faults;
}
