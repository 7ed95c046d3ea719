import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { check, definePipeline, plan, SpecError } from "../../mod.ts";
import { pipelineCopy, readPlan, specCopy } from "../../src/run/run_folder.ts";
import { runPipeline } from "../../src/run/run_pipeline.ts";
import { folder } from "../library/kit.ts";
import { filesWith, hostedProject } from "../providers/openai/hosted_project.ts";
import { MockService } from "../providers/openai/mock_service.ts";
import { serve } from "../server/serve.ts";
import { loadedSpec, withKit } from "./kit.ts";

Deno.test("pipelineCopy() is the file where it holds no secret", () => {
  const text = "# one\nversion: 1\n";
  assert.equal(pipelineCopy(text, {}), text);
});

Deno.test("pipelineCopy() masks keys and what the named variable holds, says so, and keeps every line", () => {
  const text = `# for kim: correct horse\nversion: 1  # ${
    "ghp_" + "a1B2".repeat(8)
  }\r\nauth_env: GPU_LOGIN\n`;
  const copy = pipelineCopy(text, { GPU_LOGIN: "correct horse" });
  assert.equal(
    copy,
    "# Keys and passwords are masked in this copy of the pipeline file.\n" +
      `# for kim: *************\nversion: 1  # ${"*".repeat(36)}\r\nauth_env: GPU_LOGIN\n`,
  );
});

Deno.test("specCopy() masks what the named variable holds, in values and names, and nothing that is only likely", () => {
  const spec = {
    columns: { user: "{{q}} (password: {{a}})" },
    list: [{ "at correct horse": "Is correct horse.", auth_env: "GPU_LOGIN", rank: 4, off: null }],
  };
  assert.deepEqual(specCopy(spec, {}), spec);
  assert.deepEqual(specCopy(spec, { GPU_LOGIN: "correct horse" }), {
    ...spec,
    list: [{ [`at ${"*".repeat(13)}`]: `Is ${"*".repeat(13)}.`, auth_env: "GPU_LOGIN", rank: 4, off: null }],
  });
});

Deno.test("plan.json keeps the overrides of a run, and says where a secret in them is masked", () =>
  withKit(async (kit) => {
    const kept = async (name: string, set: string[]) => {
      const { spec, ...loaded } = loadedSpec(kit.root);
      const { env } = kit.options();
      const { dir } = await runPipeline(kit.options({
        env: { ...env, env: { GPU_PASSWORD: "correct horse" } },
        loaded: { ...loaded, spec: { ...spec, name }, set },
      }));
      const { set: written, setMasked } = await readPlan(env.fs, dir) ?? {};
      return { written, setMasked };
    };
    const plain = ["dataset.source=data/*.txt", "name=a"];
    assert.deepEqual(await kept("a", plain), { written: plain, setMasked: undefined });
    assert.deepEqual(await kept("b", ["name=b", "dataset.columns.system=a correct horse"]), {
      written: ["name=b", `dataset.columns.system=a ${"*".repeat(13)}`],
      setMasked: true,
    });
  }));

Deno.test("a copy in which something was masked is refused: it is not what the run was made of", async () => {
  await using home = await folder();
  await Deno.writeTextFile(join(home.dir, "rows.jsonl"), '{"q": "2 + 2", "a": "4"}\n');
  const defined = definePipeline({
    version: 1,
    name: "guessed",
    dataset: {
      source: "rows.jsonl",
      format: "columns",
      columns: { user: "{{q}} (password: {{a}})", assistant: "{{a}}" },
    },
    method: { kind: "lora" },
    provider: { kind: "local", base: "builtin:smollm2-135m-instruct" },
  }, { dir: home.dir });
  const copy = join(home.dir, "pipeline.yaml");
  await Deno.writeTextFile(copy, pipelineCopy(defined.text, {}));
  const checked = await check(copy);
  assert.ok(!checked.ok);
  assert.deepEqual(checked.problems.map(({ message }) => message), [
    "Cannot read the pipeline file: it is a run's copy, in which asterisks replace what looked like a key or password",
  ]);
  await assert.rejects(plan(copy), SpecError);
  await Deno.writeTextFile(copy, pipelineCopy(defined.text.replace("password", "passing"), {}));
  assert.ok((await check(copy)).ok);
});

Deno.test("keys in comments of a pipeline file are in no file of the run and on no page, and running again finds the run", async () => {
  const [token, key] = ["hf_" + "abcdEFGH1234".repeat(2), "my-own-words-77"];
  await using service = new MockService({});
  await using project = await hostedProject({
    more: `  api_key_env: MY_KEY  # was ${token}, now ${key}\n`,
    env: { MY_KEY: key },
  });
  const file = await Deno.readTextFile(join(project.dir, "hosted.yaml"));
  const done = await project.run(service.url);
  assert.equal(done.code, 0, done.err);
  assert.match((await project.run(service.url)).out, /Nothing to do: this run is already done/);
  const copy = await Deno.readTextFile(join(await project.lastRun(), "pipeline.yaml"));
  assert.match(copy, /^# Keys and passwords are masked/);
  assert.match(copy, /api_key_env: MY_KEY {2}# was \*{27}, now \*{15}$/m);
  // A run of an earlier version has the file as it was.
  await Deno.writeTextFile(join(await project.lastRun(), "pipeline.yaml"), `# ${token}\n`);
  await using served = await serve(join(project.dir, "runs"));
  const [{ id }] = await (await fetch(new URL("/api/runs", served.url))).json();
  for (const path of [`/runs/${id}`, `/api/runs/${id}/files`]) {
    const text = await (await fetch(new URL(path, served.url))).text();
    assert.match(text, /# \*{27}/);
    assert.ok(!text.includes(token) && !text.includes(key));
  }
  await Deno.remove(join(await project.lastRun(), "pipeline.yaml"));
  assert.deepEqual(await filesWith(join(project.dir, "runs"), key), []);
  await project.write("hosted.yaml", file.replace("name: hosted", `name: ${key}`));
  const refused = await project.call("check", "hosted.yaml");
  assert.equal(refused.code, 2);
  assert.match(refused.out, /Key in name/);
  assert.ok(!refused.out.includes(key), refused.out);
});
