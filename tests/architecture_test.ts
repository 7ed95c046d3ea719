import assert from "./deps/assert.ts";
import { fileURLToPath } from "node:url";

/** What the files of a folder may import, beside their own folder. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "cli.ts": ["src/cli", "src/lib"],
  "mod.ts": ["src/library", "src/log", "src/steps", "src/providers", "src/spec", "src/lib"],
  "src/commands": [
    "src/cli",
    "src/importers",
    "src/library",
    "src/run",
    "src/log",
    "src/view",
    "src/ui",
    "src/providers",
    "src/plan",
    "src/spec",
    "src/lib",
    // Texts that `init` hands on.
    "pipelines",
    "templates",
  ],
  "src/cli": [
    "src/library",
    "src/run",
    "src/log",
    "src/view",
    "src/ui",
    "src/providers",
    "src/plan",
    "src/spec",
    "src/lib",
  ],
  "src/library": [
    "src/run",
    "src/pages",
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
  "src/steps": ["src/providers", "src/pages", "src/plan", "src/spec", "src/lib"],
  // Of the trainer only the generated archs.json: the rest is Python
  "src/providers": ["src/engines", "src/plan", "src/spec", "src/lib", "trainer"],
  "src/engines": ["src/spec", "src/lib"],
  "src/plan": ["src/spec", "src/lib"],
  "src/importers": ["src/spec", "src/lib"],
  "src/spec": ["src/lib"],
  "src/log": ["src/lib"],
  "src/view": ["src/log", "src/lib"],
  "src/pages": ["src/view", "src/lib"],
  "src/ui": ["src/view", "src/log", "src/lib"],
  "src/lib": [],
  "src/deps": [],
  "server": ["src/pages", "src/view", "src/log", "src/lib"],
};
/** Packages, each in one file that names its version. Every folder may take them, but for those of PACKAGES. */
const DEPS = "src/deps";
/** What a folder may take of them where that is not free: the log is read by programs that load nothing else. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "src/log": ["path", "zod"],
  "src/pages": ["hono", "path", "zod"],
  "server": ["hono", "path", "uplot", "yaml_lexer", "zod", "zod_openapi"],
};
/** Every file with JSX imports this by itself. */
const JSX = /^npm:\/?hono@[\d.]+\/jsx\/jsx-runtime$/;
/** What is started by itself: it may print and exit. */
const PROGRAMS = ["cli.ts", "server/main.ts"];

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly specifier: string;
    readonly code?: Target;
    readonly type?: Target;
    readonly isDynamic?: boolean;
  }[];
}
interface Target {
  readonly specifier?: string;
}

const ROOT = new URL("..", import.meta.url);

/** Each file with what it imports, by value or as a type, all as paths from the root. Without `dynamic`: at once. */
async function graph({ dynamic = true } = {}): Promise<Map<string, string[]>> {
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
        (module.dependencies ?? []).filter((d) => dynamic || !d.isDynamic).map((d) =>
          relative((d.code ?? d.type)?.specifier ?? d.specifier)
        ),
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
  if (to === "deno.json" || to.startsWith("node:") || JSX.test(to)) return true;
  if (/^(?:npm|jsr|https?):/.test(to) || !to.includes("/")) return folder === DEPS;
  if (to.startsWith(`${DEPS}/`)) {
    const name = to.slice(DEPS.length + 1).replace(/\.ts$/, "");
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

Deno.test("the command line loads what draws pages only where it writes one", async () => {
  const imports = await graph({ dynamic: false });
  const loaded = new Set<string>([
    "cli.ts",
    ...[...imports.keys()].filter((path) => path.startsWith("src/commands/")),
  ]);
  for (const path of loaded) for (const target of imports.get(path) ?? []) loaded.add(target);
  assert.ok(loaded.has("src/steps/format.ts"), "the walk reaches what commands use");
  assert.deepEqual([...loaded].filter((path) => /hono/.test(path) || /\.tsx$/.test(path)), []);
});

Deno.test("forbidden() and cycle() find what they are for", () => {
  const bad = new Map([
    ["src/deps/yaml.ts", ["npm:/yaml@2.9.1"]],
    ["src/lib/a.ts", ["src/spec/b.ts", "node:path", "npm:/yaml@2.9.1", "src/deps/yaml.ts"]],
    ["src/spec/b.ts", ["src/lib/c.ts", "src/spec/d.ts"]],
    ["src/lib/c.ts", ["src/lib/a.ts"]],
    ["src/log/e.ts", ["src/deps/yaml.ts", "src/deps/zod.ts", "zod"]],
    ["server/g.tsx", ["npm:/hono@4.13.19/jsx/jsx-runtime", "src/deps/hono.ts"]],
    ["src/new/f.ts", []],
  ]);
  assert.deepEqual(forbidden(bad), [
    "src/lib/a.ts -> src/spec/b.ts",
    "src/lib/a.ts -> npm:/yaml@2.9.1",
    "src/log/e.ts -> src/deps/yaml.ts",
    "src/log/e.ts -> zod",
    "src/new/f.ts: src/new has no arrows",
  ]);
  assert.deepEqual(cycle(bad), ["src/lib/a.ts", "src/spec/b.ts", "src/lib/c.ts", "src/lib/a.ts"]);
});

Deno.test("a package has one version, wherever it is named", async () => {
  const named = new Map<string, Set<string>>();
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const texts = await Promise.all((await sources()).map((path) => Deno.readTextFile(new URL(path, ROOT))));
  for (const text of [...texts, ...Object.values<string>(config.imports)]) {
    for (const [, name, version] of text.matchAll(/npm:\/?((?:@[\w-]+\/)?[\w-]+)@([\w.-]+)/g)) {
      named.set(name!, (named.get(name!) ?? new Set()).add(version!));
    }
  }
  assert.ok(named.has("hono") && named.has("zod"));
  assert.deepEqual([...named].filter(([, versions]) => versions.size > 1), []);
});

Deno.test("paths, arguments and assertions come from one file each", async () => {
  const doors: Readonly<Record<string, RegExp>> = {
    "src/deps/path.ts": /from "node:path"/,
    "src/deps/cli.ts": /parseArgs[^;]* from "node:util"/,
    "tests/deps/assert.ts": /from "node:assert\/strict"/,
  };
  const found: string[] = [];
  const walk = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
      const path = `${folder}${name}`;
      if (isDirectory) await walk(`${path}/`);
      else if (/\.tsx?$/.test(name) && path !== "tests/architecture_test.ts") {
        // Examples in doc comments are somebody else's program.
        const text = (await Deno.readTextFile(new URL(path, ROOT))).replace(/^ \* .*$/gm, "");
        for (const [door, pattern] of Object.entries(doors)) {
          if (pattern.test(text) !== (path === door)) found.push(`${path}: ${pattern}`);
        }
      }
    }
  };
  for (const folder of ["src/", "server/", "tests/", "tools/", "bench/"]) await walk(folder);
  assert.deepEqual(found, []);
});

Deno.test("only src/lib touches files, and only the programs print and exit", async () => {
  const doors =
    /\bDeno\.(?:open|readFile|readTextFile|writeFile|writeTextFile|readDir|stat|lstat|rename|remove|mkdir|truncate)\b/;
  const found: string[] = [];
  for (const path of await sources()) {
    // Examples in doc comments are programs of their own.
    const text = (await Deno.readTextFile(new URL(path, ROOT))).replace(/\/\*\*[^]*?\*\//g, "");
    if (!path.startsWith("src/lib/") && doors.test(text)) found.push(`${path} touches files`);
    if (!PROGRAMS.includes(path) && /\bconsole\.|\bDeno\.(?:exit|stdout|stderr)\b/.test(text)) {
      found.push(`${path} prints or exits`);
    }
  }
  assert.deepEqual(found, []);
});

Deno.test("comments name files by a path from their own folder or from the root", async () => {
  const exists = (url: URL) => Deno.stat(url).then(() => true, () => false);
  const found: string[] = [];
  const lost: string[] = [];
  for (const path of await sources()) {
    const file = new URL(path, ROOT);
    for (const [comment] of (await Deno.readTextFile(file)).matchAll(/^ *(?:\/\/|\/?\*).*$/gm)) {
      for (const [name] of comment.matchAll(/[\w./]*\w\.tsx?\b/g)) {
        const there = await exists(new URL(name, file)) || await exists(new URL(name, ROOT));
        (there ? found : lost).push(`${path}: ${name}`);
      }
    }
  }
  assert.ok(found.length > 0);
  assert.deepEqual(lost, []);
});
