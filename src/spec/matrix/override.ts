import { maskedText } from "../../lib/net/secrets.ts";
import { parsePath, type Path, place } from "../yaml/path.ts";
import { type Problem, problemAt, type SourceText } from "../problem.ts";
import { type ParsedYaml, parseYaml } from "../yaml/yaml.ts";

/** One `--set PATH=VALUE`. */
export interface Override {
  readonly source: SourceText;
  readonly path: Path;
  /** Where the value starts in the source's text. */
  readonly offset: number;
  readonly yaml: ParsedYaml;
}

export interface OverrideResult {
  readonly data: unknown;
  /** Those that were applied: later problems below their paths are theirs. */
  readonly overrides: readonly Override[];
  readonly problems: readonly Problem[];
}

/** Applies `--set` values to the data of a pipeline file, which is left as it is. `secrets`: what no problem quotes. */
export function applyOverrides(
  data: unknown,
  set: readonly string[],
  secrets: readonly string[] = [],
): OverrideResult {
  let changed = structuredClone(data);
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  for (const [i, text] of set.entries()) {
    const shown = maskedText(text, secrets);
    const source: SourceText = { name: `--set ${shown}`, text: shown, kind: "set", order: i + 1 };
    const override = parseOverride(source, text);
    if ("message" in override) {
      problems.push(override);
      continue;
    }
    const result = place(changed, override.path, override.yaml.value);
    if (!result.ok) {
      const span = { start: 0, end: override.offset - 1 };
      const message = `Cannot set "${override.path.join(".")}": ${result.found}`;
      problems.push(problemAt(source, span, { path: override.path.join("."), message }));
      continue;
    }
    changed = result.data;
    overrides.push(override);
  }
  return { data: changed, overrides, problems };
}

/** `text`: the whole of it; the source's own may have secrets masked. */
function parseOverride(source: SourceText, text: string): Override | Problem {
  const equals = text.indexOf("=");
  const hint = "write --set PATH=VALUE, such as --set train.epochs=2";
  if (equals < 0) {
    return problemAt(source, { start: 0, end: text.length }, {
      message: 'Cannot read --set: it has no "="',
      hint,
    });
  }
  const path = text.slice(0, equals).trim().split(".");
  if (path.some((name) => name === "")) {
    return problemAt(source, { start: 0, end: equals }, {
      message: "Cannot read --set: its path is incomplete",
      hint,
    });
  }
  const offset = equals + 1;
  const yaml = parseYaml(text.slice(offset));
  const fault = yaml.faults[0];
  if (fault) {
    const span = { start: offset + fault.start, end: offset + fault.end };
    return problemAt(source, span, { path: path.join("."), message: fault.message, hint: fault.hint });
  }
  return { source, path: parsePath(path), offset, yaml };
}
