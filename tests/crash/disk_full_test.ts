// deno-lint-ignore-file no-console -- says why it is skipped
import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { TemperError } from "../../src/lib/errors.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { jobsOf, kitAt, outputsOf } from "../run/kit.ts";
import { Proof, withFolder } from "./proof.ts";
import { runNames } from "../hermetic.ts";

const PAGE = 4096;
/** Pages of the largest disk that is tried: a run needs less. */
const MOST_PAGES = 64;

async function mount(dir: string, options: string): Promise<boolean> {
  await Deno.mkdir(dir, { recursive: true });
  const args = ["-t", "tmpfs", "-o", options, "temper-test", dir];
  const { success } = await new Deno.Command("mount", { args, stderr: "null" }).output()
    .catch(() => ({ success: false }));
  return success;
}

async function unmount(dir: string): Promise<void> {
  await new Deno.Command("umount", { args: [dir], stderr: "null" }).output();
}

const MOUNTS = Deno.build.os === "linux" && await (async () => {
  const dir = await Deno.makeTempDir({ prefix: "temper-mount-" });
  const able = await mount(dir, "size=64k");
  if (able) await unmount(dir);
  await Deno.remove(dir);
  return able;
})();
if (!MOUNTS) console.warn("skipped: a small disk cannot be mounted here (it takes root on Linux)");

/** Returns whether the disk was too small for the run. */
async function fillsUp(disk: string, pages: number, expected: Record<string, string>): Promise<boolean> {
  assert(await mount(disk, `size=${pages * PAGE}`));
  try {
    const first = await kitAt(disk).then((kit) => runPipeline(kit.options()))
      .then(({ error, state }) => error ?? (state.state === "done" ? undefined : state), (error) => error);
    // The kit's own files do not fit either.
    if (first?.code === "ENOSPC") return true;
    if (first) {
      assert(first instanceof TemperError, `${first.stack ?? first}`);
      assert.equal(first.code, "disk-full", first.message);
      assert.match(first.hint ?? "", /^Free some space, then run the same command again$/);
    }
    assert(await mount(disk, `remount,size=${16 * MOST_PAGES * PAGE}`));
    const kit = await kitAt(disk);
    const { state, dir } = await runPipeline(kit.options());
    assert.equal(state.state, "done");
    assert.deepEqual(await outputsOf(dir), expected);
    assert.equal((await runNames(kit.runsDir)).length, 1, "the same run goes on");
    assert.equal((await jobsOf(kit)).length, 1);
    return first !== undefined;
  } finally {
    await unmount(disk);
  }
}

Deno.test({
  name:
    "runPipeline() explains a full disk, whatever its size, and goes on with the same run once there is space",
  ignore: !MOUNTS,
  fn: () =>
    Proof.run("full disk", (proof) =>
      withFolder(async (dir) => {
        const kit = await kitAt(join(dir, "undisturbed"));
        const expected = await outputsOf((await runPipeline(kit.options())).dir);
        let tried = 0;
        for (let pages = 4; pages <= MOST_PAGES; pages++) {
          await proof.try(`a disk of ${pages} pages`, async () => {
            if (!await fillsUp(join(dir, "disk"), pages, expected)) return;
            tried++;
            proof.count("failed writes");
            proof.count("resumes");
          });
        }
        assert(tried > 5, `only ${tried} disks were too small`);
      })),
});
