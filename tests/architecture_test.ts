import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

/** What the files of a folder may import, beside their own folder. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "cli.ts": ["src/cli", "src/lib"],
  "mod.ts": ["src/spec", "src/lib"],
  "src/commands": [
    "src/cli",
    "src/importers",
    "src/run",
    "src/log",
    "src/view",
    "src/ui",
    "src/steps",
    "src/providers",
    "src/plan",
    "src/spec",
    "src/lib",
  ],
  "src/cli": [
    "src/run",
    "src/log",
    "src/view",
    "src/ui",
    "src/steps",
    "src/providers",
    "src/plan",
    "src/spec",
    "src/lib",
  ],
  "src/run": ["src/log", "src/steps", "src/providers", "src/plan", "src/spec", "src/lib"],
  "src/steps": ["src/providers", "src/plan", "src/spec", "src/lib"],
  // Of the trainer only the generated archs.json: the rest is Python
  "src/providers": ["src/plan", "src/spec", "src/lib", "trainer"],
  "src/plan": ["src/spec", "src/lib"],
  "src/importers": ["src/spec", "src/lib"],
  "src/spec": ["src/lib"],
  "src/log": ["src/lib"],
  "src/view": ["src/log", "src/lib"],
  "src/ui": ["src/view", "src/log", "src/lib"],
  "src/lib": [],
  "server": ["src/view", "src/log", "src/lib"],
};
/** What a folder may take from outside where that is not free: the log is read by programs that load nothing else. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "src/log": ["zod"],
  "server": ["hono", "@hono/zod-openapi", "uplot", "yaml", "zod"],
};
/** What is started by itself: it may print and exit. */
const PROGRAMS = ["cli.ts", "server/main.ts"];
const MOST_LINES = 300;

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly specifier: string;
    readonly code?: Target;
    readonly type?: Target;
  }[];
}
interface Target {
  readonly specifier?: string;
}

const ROOT = new URL("..", import.meta.url);

/** Each file with what it imports, by value or as a type, all as paths from the root. */
async function graph(): Promise<Map<string, string[]>> {
  const files = (await sources()).filter((path) => /\.tsx?$/.test(path));
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const lines = files.map((path) => `import ${JSON.stringify(new URL(path, ROOT).href)};`);
    await Deno.writeTextFile(entry, lines.join("\n"));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--config", fileURLToPath(new URL("deno.json", ROOT)), entry],
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: readonly Module[] };
    return new Map(
      modules.filter(({ specifier }) => specifier.startsWith(ROOT.href) && /\.tsx?$/.test(specifier)).map((
        module,
      ) => [
        relative(module.specifier),
        (module.dependencies ?? []).map((d) => relative((d.code ?? d.type)?.specifier ?? d.specifier)),
      ]),
    );
  } finally {
    await Deno.remove(entry);
  }
}

async function sources(): Promise<string[]> {
  const found = ["cli.ts", "mod.ts"];
  const walk = async (dir: string) => {
    for await (const { name, isDirectory } of Deno.readDir(new URL(dir, ROOT))) {
      if (isDirectory) await walk(`${dir}${name}/`);
      else found.push(`${dir}${name}`);
    }
  };
  for await (const { name } of Deno.readDir(ROOT)) {
    if (name === "src" || name === "server") await walk(`${name}/`);
  }
  return found.sort();
}

function relative(specifier: string): string {
  return specifier.startsWith(ROOT.href) ? specifier.slice(ROOT.href.length) : specifier;
}

/** `src/steps/extract/csv.ts` belongs to `src/steps`. */
function folderOf(path: string): string {
  const [first, second, ...rest] = path.split("/");
  return first === "src" && rest.length > 0 ? `src/${second}` : second === undefined ? path : first!;
}

/** Imports that no arrow allows, as `from -> to`. */
function forbidden(imports: ReadonlyMap<string, readonly string[]>): string[] {
  return [...imports].flatMap(([from, targets]) => {
    const folder = folderOf(from);
    const allowed = ALLOWED[folder];
    if (!allowed) return [`${from}: ${folder} has no arrows`];
    return targets.filter((to) => !isAllowed(folder, allowed, to)).map((to) => `${from} -> ${to}`);
  });
}

function isAllowed(folder: string, allowed: readonly string[], to: string): boolean {
  if (to === "deno.json" || to.startsWith("node:")) return true;
  if (to.startsWith("npm:") || !to.includes("/")) {
    const [, name = to] = /^(?:npm:\/?)?((?:@[^/@]+\/)?[^/@]+)/.exec(to) ?? [];
    return PACKAGES[folder]?.includes(name) ?? true;
  }
  const target = folderOf(to);
  return target === folder || allowed.includes(target);
}

/** The files of one import cycle, or undefined. */
function cycle(imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, above: readonly string[]): string[] | undefined => {
    if (above.includes(file)) return [...above.slice(above.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const target of imports.get(file) ?? []) {
      const found = visit(target, [...above, file]);
      if (found) return found;
    }
    done.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const found = visit(file, []);
    if (found) return found;
  }
  return undefined;
}

Deno.test("imports follow the arrows", async () => {
  const imports = await graph();
  assert.ok(imports.size > 50, `only ${imports.size} modules were looked at`);
  assert.deepEqual(forbidden(imports), []);
});

Deno.test("imports make no cycle", async () => {
  assert.equal(cycle(await graph())?.join(" -> "), undefined);
});

Deno.test("forbidden() and cycle() find what they are for", () => {
  const bad = new Map([
    ["src/lib/a.ts", ["src/spec/b.ts", "node:path", "npm:/yaml@2.9.1"]],
    ["src/spec/b.ts", ["src/lib/c.ts", "src/spec/d.ts"]],
    ["src/lib/c.ts", ["src/lib/a.ts"]],
    ["src/log/e.ts", ["npm:/yaml@2.9.1", "npm:/zod@4.6.7"]],
    ["src/new/f.ts", []],
  ]);
  assert.deepEqual(forbidden(bad), [
    "src/lib/a.ts -> src/spec/b.ts",
    "src/log/e.ts -> npm:/yaml@2.9.1",
    "src/new/f.ts: src/new has no arrows",
  ]);
  assert.deepEqual(cycle(bad), ["src/lib/a.ts", "src/spec/b.ts", "src/lib/c.ts", "src/lib/a.ts"]);
});

Deno.test("no source file is longer than 300 lines", async () => {
  const long: string[] = [];
  for (const path of await sources()) {
    const lines = (await Deno.readTextFile(new URL(path, ROOT))).split("\n").length - 1;
    if (lines > MOST_LINES) long.push(`${path}: ${lines}`);
  }
  assert.deepEqual(long, []);
});

Deno.test("only src/lib touches files, and only the programs print and exit", async () => {
  const doors =
    /\bDeno\.(?:open|readFile|readTextFile|writeFile|writeTextFile|readDir|stat|lstat|rename|remove|mkdir|truncate)\b/;
  const found: string[] = [];
  for (const path of await sources()) {
    const text = await Deno.readTextFile(new URL(path, ROOT));
    if (!path.startsWith("src/lib/") && doors.test(text)) found.push(`${path} touches files`);
    if (!PROGRAMS.includes(path) && /\bconsole\.|\bDeno\.(?:exit|stdout|stderr)\b/.test(text)) {
      found.push(`${path} prints or exits`);
    }
  }
  assert.deepEqual(found, []);
});
