// deno-lint-ignore-file no-console -- a program of its own, it talks to whoever runs it
/** `deno task lint:python`: ruff over the trainer, format and rules. */
import { join } from "../src/deps/path.ts";
import process from "node:process";
import { testPython } from "./test_python.ts";

const root = join(import.meta.dirname!, "..");
const { layer } = await testPython(root);
for (const args of [["format", "--check"], ["check"]]) {
  const ruff = new Deno.Command(join(layer, "bin", "ruff"), { args: [...args, "trainer"], cwd: root });
  const { success } = await ruff.spawn().status;
  if (!success) process.exitCode = 1;
}
if (process.exitCode) console.error("ruff found problems in trainer/");
