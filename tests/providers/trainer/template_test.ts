import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import type { Env } from "../../../src/providers/provider.ts";
import { builtinBase } from "../../../src/providers/trainer/base/builtin.ts";
import { trainingInputs } from "../../../src/providers/trainer/inputs.ts";
import { folderTrainer } from "../../../src/providers/trainer/environment/trainer_dir.ts";
import { chatTemplateOf, jobSettings, trainingSpec } from "../../../src/providers/trainer/job/job.ts";
import { templateNotes, templateText } from "../../../src/providers/trainer/serving/template_notes.ts";
import type { Tokens } from "../../../src/providers/trainer/job/trainer_files.ts";
import { loadSpecOrThrow } from "../../../src/spec/load.ts";
import { DOUBLE } from "./project.ts";

const BASE = builtinBase("builtin:smollm2-135m-instruct");

function environment(dir: string): Env {
  return { fs: denoFs, clock: systemClock, cacheDir: join(dir, "cache"), env: {} };
}

async function withTemplate(template: string, use: (dir: string, file: string) => Promise<void>) {
  const dir = await Deno.makeTempDir({ prefix: "template-" });
  try {
    await Deno.writeTextFile(join(dir, "rows.jsonl"), '{"prompt":"a","completion":"b"}\n');
    const file = join(dir, "pipeline.yaml");
    await Deno.writeTextFile(
      file,
      `version: 1
name: x
dataset: {source: rows.jsonl}
method: {kind: lora}
provider: {kind: local, base: "${BASE.name}", template: ${template}}
`,
    );
    await Deno.writeTextFile(join(dir, "chat.jinja"), "{{ 'é' }}");
    await use(dir, file);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a .jinja file goes into job.json as text, and into keys as its digest, without its path", () =>
  withTemplate("chat.jinja", async (dir, file) => {
    const loaded = await loadSpecOrThrow(file, denoFs);
    const text = await chatTemplateOf(loaded, denoFs);
    assert.equal(text, "{{ 'é' }}");
    const job = jobSettings(trainingSpec(loaded.spec), BASE, undefined, text);
    assert.deepEqual([job["template"], job["chat_template"]], ["jinja", text]);
    const inputs = () => trainingInputs(loaded, environment(dir), folderTrainer(DOUBLE, denoFs));
    const first = await inputs();
    assert.equal(JSON.stringify(first).includes("chat.jinja"), false);
    assert.match(String(first["chat_template"]), /^[0-9a-f]{64}$/);
    await Deno.writeTextFile(join(dir, "chat.jinja"), "{{ 'e' }}");
    assert.notDeepEqual(await inputs(), first);
  }));

Deno.test("a template by name has no text in job.json", () =>
  withTemplate("zephyr", async (_, file) => {
    const loaded = await loadSpecOrThrow(file, denoFs);
    assert.equal(await chatTemplateOf(loaded, denoFs), undefined);
    const job = jobSettings(trainingSpec(loaded.spec), BASE, undefined);
    assert.deepEqual([job["template"], job["chat_template"]], ["zephyr", null]);
  }));

Deno.test("templateNotes() tells the first difference, split conversations and the date", () => {
  const counts = {
    rows: 5,
    conversations: 3,
    split: 2,
    tokens: 9,
    supervised: 4,
    masked: 5,
    truncated: 0,
    dropped: 0,
    longest: 4,
  };
  const tokens = {
    template: { kind: "linear", name: "chatml" },
    template_difference: { row: "a.jsonl:3", base: "<s>a", trained: "a\n" },
    train: counts,
    left_out: { system: { rows: 2, first: "a.jsonl:4" } },
    date: "2024-07-26",
  } as unknown as Tokens;
  const [difference, split, leftOut, date, ...more] = templateNotes(tokens);
  assert.match(difference!, /differs from "chatml".* First in a\.jsonl:3: "a\\n" instead of "<s>a"/);
  assert.match(split!, /^2 of 3 conversations became several rows, 5 in all/);
  assert.equal(leftOut, "The chat template leaves turns of role system out of 2 rows, first in a.jsonl:4");
  assert.match(date!, /fixed at 2024-07-26/);
  assert.deepEqual(more, []);
  assert.deepEqual(
    templateNotes({
      ...tokens,
      template_difference: null,
      left_out: {},
      train: { ...counts, split: 0 },
      date: null,
    }),
    [],
  );
});

Deno.test("templateText() names the linear template of the same texts, or where another comes from", () => {
  const jinja: Tokens["template"] = { kind: "jinja", name: "base", stop: ["</s>"], linear: null };
  const cases: [Tokens["template"], string][] = [
    [{ kind: "linear", name: "zephyr" }, "zephyr"],
    [{ ...jinja, linear: "chatml" }, "chatml"],
    [jinja, "the base's own"],
    [{ ...jinja, name: "file" }, "your own"],
  ];
  for (const [template, text] of cases) assert.equal(templateText(template), text);
});
