import { commandHelp } from "../../src/cli/help.ts";
import { overview } from "../../src/cli/overview.ts";
import { COMMANDS, loadCommand } from "../../src/cli/registry.ts";
import { asCalled } from "../../src/lib/text/invocation.ts";
import { DENO_TASK } from "../hermetic.ts";
import { assertSnapshot } from "./kit.ts";

Deno.test("help says what tests/snapshots/help.txt has, of every command", async () => {
  const sections = [`$ deno task help\n${overview()}`];
  for (const name of Object.keys(COMMANDS)) {
    sections.push(`$ deno task help ${name}\n${commandHelp((await loadCommand(name))!)}`);
  }
  await assertSnapshot("help", asCalled(sections.join("\n"), DENO_TASK));
});
