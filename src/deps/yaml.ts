type Yaml = typeof import("npm:yaml@2.9.1");

/** Type and class under one name, as in the package. */
export type Document = import("npm:yaml@2.9.1").Document;
export type { ErrorCode, Node, Pair, Scalar, YAMLError, YAMLMap } from "npm:yaml@2.9.1";

/**
 * The YAML library. The package contains ES modules and a CommonJS build of the same code; for Deno its `exports`
 * name the latter, which takes six times longer to load, longer than everything else that `check` does. The ES
 * modules are found through the import map of a clone. An installed temper has no map and takes the other build.
 */
async function load(): Promise<Yaml> {
  const modules = browserBuild();
  // deno-lint-ignore no-import-prefix -- the names of deno.json lead nowhere in an installed temper
  return await (modules === undefined ? import("npm:yaml@2.9.1") : import(modules));
}

function browserBuild(): string | undefined {
  try {
    const manifest = import.meta.resolve("yaml/package.json");
    // Not a file where the package is not in the cache yet.
    return manifest.startsWith("file:") ? new URL("browser/index.js", manifest).href : undefined;
  } catch {
    return undefined;
  }
}

export const { Document, isAlias, isMap, isPair, isScalar, isSeq, parse, parseDocument, visit } =
  await load();
