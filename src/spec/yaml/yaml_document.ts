import { Document } from "../../deps/yaml.ts";
import { numberYaml } from "../../lib/text/yaml_text.ts";

/** What JavaScript writes with an exponent. */
const EXPONENT = {
  identify: (value: unknown) => typeof value === "number" && String(value).includes("e"),
  default: true,
  tag: "tag:yaml.org,2002:float",
  // For writing only.
  test: /(?!)/,
  resolve: Number,
  stringify: ({ value }: { readonly value: unknown }) => numberYaml(value as number),
} as const;

/** Data to be written so that readers of YAML 1.1, such as PyYAML, read the same: `"no"`, `"12:30"`, `1.0e-7`. */
export function yamlDocument(value: unknown, options: { readonly aliasDuplicateObjects?: boolean } = {}) {
  return new Document(value, {
    ...options,
    compat: "yaml-1.1",
    customTags: (tags) => [EXPONENT, ...tags],
  });
}
