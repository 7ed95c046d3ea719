import { type Document, isAlias, type Node, parseDocument, visit } from "../../deps/yaml.ts";
import { MOST_PROBLEMS, type Span } from "../problem.ts";
import { spanOf, type YamlFault } from "./yaml_problem.ts";
import { syntaxFaults } from "./yaml_syntax.ts";
import { structureFaults } from "./yaml_structure.ts";

export interface ParsedYaml {
  readonly faults: readonly YamlFault[];
  /** Everything before this offset was parsed correctly. */
  readonly soundTo: number;
  /** Plain data; undefined when none can be built. */
  readonly value: unknown;
  readonly root: Node | null;
}

const MOST_ALIASES = 100;

/** Parses one YAML document and reports everything that is wrong with it. Never throws. */
export function parseYaml(text: string): ParsedYaml {
  const document = parseDocument(text, {
    prettyErrors: false,
    stringKeys: true,
    // Checked with the structure, because the library compares each key with each other one.
    uniqueKeys: false,
    logLevel: "error",
    schema: "core",
    merge: true,
  });
  const root = document.contents as Node | null;
  const faults = syntaxFaults(document, text);
  if (!faults.some((f) => f.reach === "fatal")) faults.push(...structureFaults(document, text));
  let value: unknown;
  // With so many faults the rest of the structure was not looked at.
  if (faults.length < MOST_PROBLEMS && !faults.some((f) => f.reach === "fatal")) {
    try {
      value = document.toJS({ maxAliasCount: MOST_ALIASES });
    } catch {
      // All aliases are known and none is circular, so what is left is their number.
      faults.push({
        ...firstAlias(document),
        message: `Cannot expand the aliases: they expand to more than ${MOST_ALIASES} copies`,
        hint: "write the values out",
        reach: "fatal",
      });
    }
  }
  const soundTo = Math.min(Infinity, ...faults.filter((f) => f.reach !== "local").map((f) => f.start));
  return { faults, soundTo, value, root };
}

function firstAlias(document: Document): Span {
  let span: Span = { start: 0, end: 0 };
  visit(document, {
    Alias(_, alias) {
      span = spanOf(alias);
      return visit.BREAK;
    },
  });
  return span;
}

/** The node an alias refers to; any other node itself. */
export function follow(node: unknown, document: Node | null): unknown {
  if (!isAlias(node)) return node;
  let target: unknown;
  visit(document, {
    Node(_, candidate) {
      if (candidate === node) return visit.BREAK;
      if (!isAlias(candidate) && candidate.anchor === node.source) target = candidate;
      return undefined;
    },
  });
  return target;
}
