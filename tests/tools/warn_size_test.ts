import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { sizeWarnings } from "../../tools/lint/warn_size.ts";

Deno.test("sizeWarnings() finds files of more than 300 lines and functions of more than 40, and no others", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const body = (lines: number) => "  void 0;\n".repeat(lines - 2);
    await Deno.writeTextFile(join(dir, "short.ts"), `export function f() {\n${body(40)}}\n`);
    await Deno.writeTextFile(
      join(dir, "long.ts"),
      `\nexport function f() {\n${body(41)}}\n` + "void 0;\n".repeat(258),
    );
    await Deno.writeTextFile(join(dir, "longer.ts"), "void 0;\n".repeat(301));
    const found = await sizeWarnings([dir]);
    assert.deepEqual(
      found.map(({ path, line, message }) => `${path.split("/").at(-1)}:${line}: ${message}`),
      [
        "long.ts:2: 41 lines in one function, where 40 are the most",
        "longer.ts:1: 301 lines in one file, where 300 are the most",
      ],
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
