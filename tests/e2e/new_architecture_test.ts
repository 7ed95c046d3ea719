import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { PYTHON, ROOT, WITHOUT_TRAINER } from "./kit.ts";

/** All that a new architecture takes. */
const FILE = `
"""Computes what a llama does, under another name."""

from dataclasses import replace

from .llama import ARCHITECTURE as LLAMA

ARCHITECTURE = replace(LLAMA, model_type="myllama", loaded_as="llama", reads_gguf=False)
`;

const TRAIN = `
import json, sys
from pathlib import Path

import tiny
from temper_trainer.__main__ import main

work = Path(sys.argv[1])
base = tiny.make_base(work / "base", "llama")
path = base / "config.json"
path.write_text(json.dumps(json.loads(path.read_text()) | {"model_type": "myllama"}))
job = tiny.make_job(
    work / "job", tiny.folder_base(base), tiny.home_rows(8), tiny.home_rows(2), export={"gguf": True, "merged": True}
)
cache = ["--cache", str(work / "cache")]
sys.exit(main(["prepare", str(job), *cache]) or main(["train", str(job), *cache]))
`;

const CHECK = `
import { systemClock } from "./src/lib/clock.ts";
import { denoFs } from "./src/lib/files/fs.ts";
import { folderBase } from "./src/providers/trainer/base/folder_base.ts";

const [path, cacheDir] = Deno.args;
const base = await folderBase("mine", path!, { fs: denoFs, clock: systemClock, cacheDir: cacheDir!, env: {} }, true);
console.log(base.arch);
`;

const NAME = "an architecture added by one file trains, is exported, and is accepted by the check";
Deno.test(NAME, { ignore: WITHOUT_TRAINER }, async () => {
  const dir = await Deno.realPath(await Deno.makeTempDir());
  try {
    const trainer = join(dir, "trainer");
    await copy(join(ROOT, "src"), join(dir, "src"));
    await copy(join(ROOT, "trainer", "temper_trainer"), join(trainer, "temper_trainer"));
    await Deno.copyFile(join(ROOT, "deno.json"), join(dir, "deno.json"));
    await Deno.writeTextFile(join(trainer, "temper_trainer", "archs", "myllama.py"), FILE);
    await Deno.writeTextFile(
      join(trainer, "archs.json"),
      await python(trainer, "-m", "temper_trainer", "archs"),
    );
    await python(trainer, "-c", TRAIN, dir);

    const result = JSON.parse(await Deno.readTextFile(join(dir, "job", "result.json")));
    assert.equal(result.state, "done");
    assert.deepEqual(
      result.artifacts.map(({ kind }: { kind: string }) => kind),
      ["adapter", "gguf", "merged", "predictions"],
    );
    assert.ok(result.export_check.gguf.tensors > 0);

    await Deno.writeTextFile(join(dir, "check.ts"), CHECK);
    const base = ["run", "-A", "--no-check", "--config", join(dir, "deno.json"), join(dir, "check.ts")];
    assert.equal(
      await output(Deno.execPath(), [...base, join(dir, "base"), join(dir, "cache")]),
      "myllama\n",
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

function python(trainer: string, ...args: string[]): Promise<string> {
  const paths = [trainer, join(ROOT, "trainer", "tests")].join(Deno.build.os === "windows" ? ";" : ":");
  return output(PYTHON!, args, { PYTHONPATH: paths, OMP_NUM_THREADS: "1", PYTHONDONTWRITEBYTECODE: "1" });
}

async function output(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], env }).output();
  assert.ok(success, new TextDecoder().decode(stderr).slice(-2000));
  return new TextDecoder().decode(stdout);
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (isDirectory && name !== "__pycache__") await copy(join(from, name), join(to, name));
    if (isFile) await Deno.copyFile(join(from, name), join(to, name));
  }
}
