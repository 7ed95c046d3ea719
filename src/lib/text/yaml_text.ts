/** A value as YAML on one line, to be pasted into a pipeline file: `{path: a.csv, delimiter: ";"}`. */
export function flowYaml(value: unknown): string {
  if (typeof value === "string") return isPlain(value) ? value : JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(flowYaml).join(", ")}]`;
  if (typeof value === "number") return numberYaml(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${flowYaml(name)}: ${flowYaml(member)}`).join(", ")}}`;
}

/** A number as YAML: readers of YAML 1.1, such as PyYAML, take an exponent as text where there is no point before it. */
export function numberYaml(value: number): string {
  return String(value).replace(/^(-?\d+)(?=e)/, "$1.0");
}

/** Whether a text needs no quotes in YAML: words, names of files, and nothing that YAML reads as something else. */
function isPlain(text: string): boolean {
  return /^[A-Za-z][\w./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text);
}

/** An object as lines of YAML, a member a line; objects within it are indented below their name. */
export function blockYaml(object: object, indent: string): string[] {
  return Object.entries(object).flatMap(([name, value]) => {
    const isSection = typeof value === "object" && value !== null && !Array.isArray(value);
    if (!isSection || Object.keys(value).length === 0) {
      return [`${indent}${flowYaml(name)}: ${flowYaml(value)}`];
    }
    return [`${indent}${flowYaml(name)}:`, ...blockYaml(value, `${indent}  `)];
  });
}
