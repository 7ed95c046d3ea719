import assert from "../deps/assert.ts";
import { hostname } from "node:os";
import { join } from "../../src/deps/path.ts";
import type { Command } from "../../src/cli/command.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { TemperError } from "../../src/lib/errors.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { ROOT } from "../commands/cli_kit.ts";
import { asCalled } from "../../src/lib/text/invocation.ts";
import { DENO_TASK } from "../hermetic.ts";
import { type CallOptions, type Project, project } from "../commands/run_kit.ts";
import { RecordingTerminal } from "../ui/recorded.ts";

const UPDATE = "TEMPER_UPDATE_SNAPSHOTS";
/** A day after the recorded runs. */
const NOW = Date.parse("2026-11-23T08:00:00Z");
const clock: Clock = { ...systemClock, now: () => NOW };

export interface Situations {
  /** An empty folder for one situation, gone when it is over. */
  project(use: (home: Project) => Promise<void>): Promise<void>;
  /** Calls the command there as a person does, and adds what it prints. */
  call(situation: string, home: Project, argv: readonly string[], options?: CallOptions): Promise<void>;
}

/**
 * The words of a command stand in one file, tests/snapshots/NAME.txt, and nowhere else in the tests: what it prints in
 * its typical situations. TEMPER_UPDATE_SNAPSHOTS=1 writes the file anew; what it then has is read by a person.
 */
export function snapshotTest(
  command: Command,
  describe: (situations: Situations) => Promise<void>,
  normalize: (text: string) => string = (text) => text,
): void {
  Deno.test(`${command.name} says what tests/snapshots/${command.name}.txt has`, async () => {
    const sections: string[] = [];
    await describe({
      async project(use) {
        await using home = await project();
        await use(home);
      },
      async call(situation, home, argv, options = {}) {
        const said = await answer(command, home, argv, options);
        sections.push(`# ${situation}\n$ deno task ${[command.name, ...argv].join(" ")}\n${said}`);
      },
    });
    await assertSnapshot(command.name, normalize(sections.join("\n")));
  });
}

/** Output and exit code; stderr is marked. */
async function answer(
  command: Command,
  home: Project,
  argv: readonly string[],
  options: CallOptions,
): Promise<string> {
  const terminal = new RecordingTerminal(options.width ?? 100);
  let code: number;
  try {
    ({ code } = await home.call(command, argv, { clock, ...options, terminal }));
  } catch (error) {
    if (!(error instanceof TemperError)) throw error;
    // As cli.ts does, which prints the errors of commands.
    terminal.err(`${asCalled(error.render(), DENO_TASK)}\n`);
    code = error.exitCode;
  }
  const err = terminal.text("err").replace(/^(?=.)/gm, "! ");
  return `${terminal.text("out")}${err}exit code ${code}\n`
    .replaceAll(home.dir, "<project>")
    .replaceAll(ROOT, "<temper>/")
    .replaceAll(`"${hostname()}"`, '"<host>"');
}

export async function assertSnapshot(name: string, found: string): Promise<void> {
  const path = join(import.meta.dirname!, `${name}.txt`);
  if (Deno.env.get(UPDATE)) return await Deno.writeTextFile(path, found);
  const how = `${UPDATE}=1 deno test -A ${import.meta.dirname} writes it anew`;
  assert.ok(await denoFs.stat(path), `Cannot find ${path}: ${how}`);
  assert.equal(found, await Deno.readTextFile(path), `${path} has other words: ${how}`);
}
