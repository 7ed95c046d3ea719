import assert from "node:assert/strict";
import { TemperError } from "../../src/lib/errors.ts";
import { denoFs, type FileWriter, type Fs } from "../../src/lib/fs.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { type Kit, kitAt, outputsOf, seededRandom, withKit } from "./kit.ts";

const CHANGES = [
  "mkdirp",
  "claimDir",
  "truncate",
  "rename",
  "syncFile",
  "syncDir",
  "linkOrCopy",
  "remove",
] as const;

interface Faulty {
  readonly fs: Fs;
  /** Operations so far that change the disk. */
  count(): number;
}

/** The real file system, whose disk is full from operation `from` on; the write that hits it is short. */
function fullAfter(from: number): Faulty {
  let count = 0;
  const full = () => Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
  const step = () => {
    if (++count >= from) throw full();
  };
  const writer = (real: FileWriter): FileWriter => ({
    async write(data) {
      const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
      if (++count === from) await real.write(bytes.subarray(0, bytes.length / 2));
      if (count >= from) throw full();
      await real.write(bytes);
    },
    async sync() {
      step();
      await real.sync();
    },
    close: () => real.close(),
  });
  const fs: Fs = {
    ...denoFs,
    create: async (path) => (step(), writer(await denoFs.create(path))),
    append: async (path) => (step(), writer(await denoFs.append(path))),
  };
  for (const name of CHANGES) {
    const real = denoFs[name] as (...args: unknown[]) => Promise<unknown>;
    Object.assign(fs, { [name]: async (...args: unknown[]) => (step(), await real(...args)) });
  }
  return { fs, count: () => count };
}

async function operationsOfARun(): Promise<number> {
  const root = await Deno.makeTempDir({ prefix: "temper-fault-" });
  try {
    const faulty = fullAfter(Infinity);
    const kit = await kitAt(root, { fs: faulty.fs });
    await runPipeline(kit.options());
    return faulty.count();
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function survives(kit: Kit, from: number, expected: Record<string, string>): Promise<void> {
  const faulty = await kitAt(kit.root, { fs: fullAfter(from).fs });
  const first = await runPipeline(faulty.options()).then(({ error }) => error, (error) => error);
  if (first !== undefined) {
    assert(first instanceof TemperError, `operation ${from}: ${first?.stack ?? first}`);
    assert.equal(first.code, "disk-full", `operation ${from}: ${first.message}`);
  }
  const { state, dir } = await runPipeline(kit.options());
  assert.equal(state.state, "done");
  assert.deepEqual(await outputsOf(dir), expected);
}

Deno.test("runPipeline() explains a disk that fills up at any moment, and ends well once there is space", () =>
  withKit(async (kit) => {
    const { seed, random } = seededRandom();
    const { dir } = await runPipeline(kit.options());
    const expected = await outputsOf(dir);
    const operations = await operationsOfARun();
    assert(operations > 100);
    const stride = operations / 25;
    for (let at = random() * stride; at < operations; at += stride) {
      const root = await Deno.makeTempDir({ prefix: "temper-fault-" });
      const from = 1 + Math.floor(at);
      try {
        await survives(await kitAt(root), from, expected);
      } catch (cause) {
        throw new Error(`full at operation ${from} of ${operations}, TEMPER_SEED=${seed}`, { cause });
      } finally {
        await Deno.remove(root, { recursive: true });
      }
    }
  }));
