import assert from "./deps/assert.ts";
import { join } from "../src/deps/path.ts";
import { ROOT } from "./commands/cli_kit.ts";

async function deno(
  ...args: readonly string[]
): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

interface Documented {
  readonly name: string;
  readonly declarations: readonly {
    readonly jsDoc?: { readonly doc?: string; readonly tags?: readonly { readonly kind: string }[] };
  }[];
}

Deno.test("every export says what it is, with an example", async () => {
  const { out, err } = await deno("doc", "--json", "mod.ts", "server/mod.ts");
  const { nodes } = JSON.parse(out) as {
    readonly nodes: Record<string, { readonly symbols: readonly Documented[] }>;
  };
  const symbols = Object.values(nodes).flatMap(({ symbols }) => symbols);
  assert.ok(symbols.some(({ name }) => name === "definePipeline"), err);
  assert.ok(symbols.some(({ name }) => name === "createApp"), err);
  const bare = symbols.filter(({ declarations }) =>
    !declarations.some(({ jsDoc }) => jsDoc?.doc && jsDoc.tags?.some(({ kind }) => kind === "example"))
  );
  assert.deepEqual(bare.map(({ name }) => name), []);
});

Deno.test("importing the library needs no permission and prints nothing", async () => {
  const program = join(await Deno.makeTempDir(), "import.ts");
  await Deno.writeTextFile(
    program,
    `import ${JSON.stringify(new URL("../mod.ts", import.meta.url).href)};\n`,
  );
  const imported = await deno("run", "--no-prompt", "--config", join(ROOT, "deno.json"), program);
  assert.deepEqual(imported, { code: 0, out: "", err: "" });
  await Deno.remove(join(program, ".."), { recursive: true });
});
