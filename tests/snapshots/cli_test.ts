import { ROOT, temper } from "../commands/cli_kit.ts";
import { assertSnapshot } from "./kit.ts";

/** Command lines that no command gets to see, and what befalls any command. */
const SITUATIONS: readonly (readonly [string, readonly string[], (readonly string[])?])[] = [
  ["nothing asked", []],
  ["a word like a command's", ["chek", "x"]],
  ["a word like none", ["zzz"]],
  ["an option of no command", ["--wat"]],
  ["an option like one of the command's", ["check", "--jsn", "x"]],
  ["an option like none of the command's", ["check", "-x", "x"]],
  ["an option without its value", ["check", "x", "--set"]],
  ["a value for an option that takes none", ["check", "x", "--json=yes"]],
  ["too few words", ["check"]],
  ["too many words", ["schema", "x"]],
  ["an error as JSON", ["chek", "--json"]],
  ["a bug", ["schema", "--write"], [`--allow-read=${ROOT}`, "--allow-env"]],
];

Deno.test("cli says what tests/snapshots/cli.txt has", async () => {
  const sections: string[] = [];
  for (const [situation, args, permissions] of SITUATIONS) {
    const { code, out, err } = await temper(args, permissions ? { permissions } : {});
    const marked = err.replace(/^(?=.)/gm, "! ");
    sections.push(`# ${situation}\n$ deno task ${args.join(" ")}\n${out}${marked}exit code ${code}\n`);
  }
  await assertSnapshot(
    "cli",
    sections.join("\n").replaceAll(ROOT, "<temper>/").replace(/\.\d+-\d+\.tmp/, ".N.tmp"),
  );
});
