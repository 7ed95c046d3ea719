import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { FIXTURES } from "../importers/kit.ts";
import { temper } from "./cli_kit.ts";

const permissions = ["--allow-read", "--allow-write", "--allow-env"];
const axolotl = join(FIXTURES, "axolotl_full.yaml");

async function withDir(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "import-" });
  try {
    await use(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("import prints the pipeline on stdout and what is left on stderr", async () => {
  const { code, out, err } = await temper(["import", axolotl], { permissions });
  assert.equal(code, 0);
  assert.match(out, /^name: axolotl_full$/m);
  assert.match(err, /^Axolotl: it has base_model, /);
  assert.match(err, /line 30 deepspeed: "deepspeed_configs\/zero2.json"/);
  assert.ok(out.includes('#   line 30 deepspeed: "deepspeed_configs/zero2.json"'));
});

Deno.test("import --out writes a file that check takes, with paths from where it is, and never over another", () =>
  withDir(async (dir) => {
    const file = join(dir, "pipelines", "mine.yaml");
    const { code, out, err } = await temper(["import", axolotl, "--out", file], { permissions });
    assert.deepEqual([code, out], [0, ""]);
    assert.match(err, /Next: deno task check .*mine\.yaml/);
    const checked = await temper(["check", file, "--json"], {
      permissions: ["--allow-read", "--allow-env", "--allow-sys"],
    });
    const [{ problems }] = JSON.parse(checked.out).files;
    // The fixture's base is a folder without a model.
    assert.deepEqual(problems.filter(({ path }: { path: string }) => path !== "provider.base"), []);
    const before = await Deno.readTextFile(file);
    const again = await temper(["import", axolotl, "--out", file], { permissions });
    assert.equal(again.code, 2);
    assert.match(again.err, /^Cannot write ".*mine\.yaml": it already exists/);
    assert.equal(await Deno.readTextFile(file), before);
  }));

Deno.test("import --out keeps a link that leads nowhere", () =>
  withDir(async (dir) => {
    const file = join(dir, "mine.yaml");
    await Deno.symlink("/nowhere/mine.yaml", file);
    const { code, err } = await temper(["import", axolotl, "--out", file], { permissions });
    assert.equal(code, 2, err);
    assert.match(err, /^Cannot write ".*mine\.yaml": it already exists/);
    assert.equal(await Deno.readLink(file), "/nowhere/mine.yaml");
  }));

Deno.test("import --json prints one document", async () => {
  const { code, out, err } = await temper(["import", join(FIXTURES, "soup.yaml"), "--json"], { permissions });
  assert.deepEqual([code, err], [0, ""]);
  const report = JSON.parse(out);
  assert.deepEqual(Object.keys(report), ["tool", "why", "pipeline", "carried", "not_carried"]);
  assert.equal(report.tool, "soup");
  assert.ok(
    report.carried.some(({ from, to, value }: Record<string, unknown>) =>
      from === "training.lora.r" && to === "method.rank" && value === 32
    ),
  );
  assert.deepEqual(report.not_carried.map(({ field }: { field: string }) => field)[0], "training.batch_size");
});

Deno.test("import refuses what it cannot place, with the place and exit code 2", () =>
  withDir(async (dir) => {
    const cases: readonly (readonly [name: string, text: string, err: RegExp, args?: readonly string[]])[] = [
      [
        "other.yaml",
        "a: 1\nb: 2\n",
        /Cannot tell which tool .*: none of its fields is known: a, b\n.*--from axolotl\|/,
      ],
      [
        "both.yaml",
        "base_model: a\ndataset_name: b\n",
        /base_model of Axolotl; dataset_name of TRL\n.*Its fields: base_model, dataset_name/,
      ],
      [
        "dpo.yaml",
        "model_name_or_path: a\nstage: dpo\ndataset: x\n",
        /line 2, stage: dpo asks for training on preferences/,
      ],
      [
        "rl.yml",
        "base_model: a\nsequence_len: 8\nrl: grpo\n",
        /line 3, rl: grpo asks for training on preferences or rewards/,
      ],
      ["bare.yaml", "base_model: a\nsequence_len: 8\n", /it names no data to train on/],
      ["twice.yaml", "base_model: a\nbase_model: b\n", /line 2: Duplicate key "base_model"/],
      ["list.yaml", "- a\n", /it has no fields/],
      ["train.py", "import unsloth\n", /it is a Python program, not a configuration/],
      ["none.yaml", "", /it has no fields/],
      ["trl.yaml", "model_name_or_path: a\n", /Cannot read --from: found "tlr"\ndid you mean "trl"/, [
        "--from",
        "tlr",
      ]],
    ];
    for (const [name, text, pattern, args = []] of cases) {
      const file = join(dir, name);
      await Deno.writeTextFile(file, text);
      const { code, out, err } = await temper(["import", file, ...args], { permissions });
      assert.deepEqual([code, out], [2, ""], name);
      assert.match(err, pattern, name);
    }
    const { code, err } = await temper(["import", join(dir, "gone.yaml")], { permissions });
    assert.deepEqual([code, /it does not exist/.test(err)], [2, true]);
  }));

Deno.test("import --from reads a file that nothing else tells apart", () =>
  withDir(async (dir) => {
    const file = join(dir, "tiny.yaml");
    await Deno.writeTextFile(file, "model_name_or_path: a/b\ndatasets: [{path: x.jsonl}]\n");
    const { code, out } = await temper(["import", file, "--from", "trl"], { permissions, cwd: dir });
    assert.equal(code, 0);
    assert.match(out, /source: x\.jsonl/);
  }));

Deno.test({
  name: "import --out says why the system lets it write nothing there",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withDir(async (dir) => {
      const file = join(dir, "file");
      await Deno.writeTextFile(file, "");
      for (
        const [out, err, rights = permissions] of [
          [
            join(file, "x.yaml"),
            /^Cannot write ".*x\.yaml": a (file of that name exists|part of the path is a file)\n/,
          ],
          ["/proc/x/y.yaml", /^Cannot write ".*": the operation is not permitted\n/],
          ["/proc/x/y.yaml", /^Cannot make the folder "\/proc\/x": its file system takes none\n/, ["-A"]],
          [`${"x".repeat(300)}.yaml`, /^Cannot write ".*": the name is too long\n/],
        ] as const
      ) {
        const called = await temper(["import", axolotl, "--out", out], { permissions: rights });
        assert.equal(called.code, 1, called.err);
        assert.match(called.err, err);
      }
    }),
});
