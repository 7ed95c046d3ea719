// deno-lint-ignore-file no-console -- a program of its own
/** Prints what size.ts finds as warnings: how long a piece of code may be is a matter of judgement, and stops nobody. */
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

export interface SizeWarning {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

if (import.meta.main) {
  for (const { path, line, message } of await sizeWarnings(["cli.ts", "mod.ts", "src", "server"])) {
    console.warn(`warning: ${path}:${line}: ${message}`);
  }
}

/** Files and functions below these paths that are too long. */
export async function sizeWarnings(paths: readonly string[]): Promise<SizeWarning[]> {
  const config = fileURLToPath(new URL("tools/lint/size.json", ROOT));
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["lint", "--json", "--config", config, ...paths],
    cwd: fileURLToPath(ROOT),
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (text === "") throw new Error(new TextDecoder().decode(stderr));
  const { diagnostics } = JSON.parse(text) as { diagnostics: readonly Diagnostic[] };
  return diagnostics.map(({ filename, range, message }) => ({
    path: filename.replace(ROOT.href, ""),
    line: range.start.line,
    message,
  }));
}

interface Diagnostic {
  readonly filename: string;
  readonly range: { readonly start: { readonly line: number } };
  readonly message: string;
}
