/**
 * The YAML library. The package carries ES modules and a CommonJS build of the same code; for Deno its `exports`
 * name the latter, which takes six times longer to load, longer than everything else a check does.
 */
async function load(): Promise<typeof import("yaml")> {
  const manifest = import.meta.resolve("yaml/package.json");
  // Not a file where the package is not in the cache yet.
  if (!manifest.startsWith("file:")) return await import("yaml");
  return await import(new URL("browser/index.js", manifest).href);
}

export const { Document, isAlias, isMap, isPair, isScalar, isSeq, parseDocument, visit } = await load();
