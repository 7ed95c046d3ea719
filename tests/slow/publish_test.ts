import assert from "../deps/assert.ts";

const ROOT = new URL("../..", import.meta.url).href;

Deno.test("what is published is whole: the programs, the trainer and the examples, and no tests", async () => {
  // Slow types: the types of pipelines are those that zod infers.
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--allow-slow-types"],
    cwd: new URL(ROOT),
    env: { NO_COLOR: "1" },
  }).output();
  const err = new TextDecoder().decode(stderr);
  assert.equal(code, 0, err);
  const files = [...err.matchAll(/^ +(file:\S+) \(/gm)].map(([, file]) =>
    decodeURI(file!).slice(ROOT.length)
  );
  for (
    const file of [
      "cli.ts",
      "deno.json",
      "mod.ts",
      "server/mod.ts",
      "server/static/styles/run.css",
      "src/commands/run.ts",
      "pipelines/lora.yaml",
      "pipelines/schema.json",
      "templates/temper.yml",
      "trainer/requirements.lock",
      "trainer/pyproject.toml",
      "trainer/temper_trainer/training/train.py",
    ]
  ) assert.ok(files.includes(file), `${file} is missing from:\n${files.join("\n")}`);
  assert.deepEqual(files.filter((file) => /^(tests|bench|tools|trainer\/tests|\.)|\.png$/.test(file)), []);
});
