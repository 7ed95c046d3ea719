import { join } from "../../src/deps/path.ts";
import { copyFolder } from "../run/kit.ts";
import { doctor } from "../../src/commands/doctor.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { snapshotTest } from "./kit.ts";

const V1 = join(import.meta.dirname!, "..", "fixtures", "runs", "v1");

/** Without memory, sizes, versions and the time, which each machine has its own of. */
function ofNoMachine(text: string): string {
  return text
    .replace(/^ {2}\S memory .*\n(?: {17}.*\n)?/gm, "")
    .replace(/[\d.]+ [GM]B/g, "N GB")
    .replace(/(deno +|temper |python +)\d[\d.]*/g, "$1VERSION")
    .replace(/\d{4}-\d\d-\d\dT\S+Z/g, "TIME");
}

snapshotTest(doctor, async ({ project, call }) => {
  await project(async (home) => {
    const env = { PATH: join(home.dir, "nothing"), HOME: home.dir, OLLAMA_HOST: "http://127.0.0.1:1" };
    const options = { width: 0, clock: systemClock };
    await call("nothing is installed", home, [], { ...options, env });
    const bare = join(home.dir, "python");
    // Answers the question for its version, and nothing else.
    const answers = 'case "$1" in -I) echo 3.12.1; echo linux-x86_64;; *) exit 1;; esac';
    await Deno.writeTextFile(bare, `#!/bin/sh\n${answers}\n`, { mode: 0o755 });
    await call("a Python that cannot import torch", home, [], {
      ...options,
      env: { ...env, TEMPER_PYTHON: bare },
    });
    await copyFolder(join(V1, "interrupted"), join(home.dir, "runs", "20261120-000000-slow-0000"));
    await copyFolder(join(V1, "done"), join(home.dir, "runs", "20261120-000001-done-0001"));
    await home.write("runs/20261120-000001-done-0001/events.jsonl", "{}\n");
    await home.write(".temper/steps/.new-x/left.txt", "left");
    await call("runs that need something, and leftovers", home, [], { ...options, env });
  });
}, ofNoMachine);
