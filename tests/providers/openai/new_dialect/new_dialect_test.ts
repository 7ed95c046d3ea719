import assert from "../../../deps/assert.ts";
import { join } from "../../../../src/deps/path.ts";
import { ROOT } from "../../../commands/cli_kit.ts";
import { hostedProject, KEY, rows } from "../hosted_project.ts";
import { MockService } from "../mock_service.ts";

/** A copy of the program in which Acme's dialect is one more file and one more line. */
async function programWithAcme(): Promise<{ readonly root: string } & AsyncDisposable> {
  const root = `${await Deno.makeTempDir({ prefix: "temper-acme-" })}/`;
  const copied = await new Deno.Command("cp", {
    args: ["-r", "src", "cli.ts", "mod.ts", "deno.json", "deno.lock", root],
    cwd: ROOT,
  }).output();
  assert.ok(copied.success, new TextDecoder().decode(copied.stderr));
  const dialects = join(root, "src", "spec", "dialects");
  const file = await Deno.readTextFile(new URL("acme.ts", import.meta.url));
  await Deno.writeTextFile(
    join(dialects, "acme.ts"),
    file.replaceAll("../../../../src/spec/dialects/", "./"),
  );
  await Deno.writeTextFile(join(dialects, "all.ts"), 'export { acme } from "./acme.ts";\n', { append: true });
  return { root, [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }) };
}

Deno.test("a new dialect is one file and one line: schema, check, plan and run know it", async () => {
  await using program = await programWithAcme();
  const { root } = program;
  const moody = rows(20).replace('"role":"user"', '"mood":"fine","role":"user"');
  await using service = new MockService();
  await using project = await hostedProject({
    root,
    dialect: "acme",
    train: moody,
    env: { ACME_API_KEY: KEY },
    provider: `  base_url: ${service.url}\n`,
  });

  const schema = (await project.call("schema")).out;
  assert.deepEqual(enumWith(JSON.parse(schema), "acme"), ["azure", "nebius", "openai", "acme"].sort());
  assert.match(schema, /"description": "acme, azure and openai: factor on the learning rate/);
  assert.match(
    schema,
    /environment's ACME_BASE_URL, AZURE_OPENAI_BASE_URL, NEBIUS_BASE_URL or OPENAI_BASE_URL/,
  );

  const misspelt = await project.call("check", "hosted.yaml", "--set", "provider.dialect=acm");
  assert.equal(misspelt.code, 2);
  assert.match(misspelt.err + misspelt.out, /found "acm", expected acme, azure, nebius or openai/);
  assert.match(misspelt.err + misspelt.out, /did you mean "acme"/);
  const wrong = await project.call(
    "check",
    "hosted.yaml",
    "--set",
    "train.seed=2",
    "--set",
    "train.epochs=8",
  );
  assert.match(wrong.err + wrong.out, /train\.seed: dialect acme has no such field/);
  assert.match(
    wrong.err + wrong.out,
    /train\.epochs: found 8, dialect acme takes a whole number from 1 to 7/,
  );

  const { out, err: planErr } = await project.call("plan", "hosted.yaml");
  const plan = out.replace(/\s+/g, " ");
  assert.match(plan, /at Acme Tuning/, planErr);
  assert.match(plan, /passes 6 Acme's own rule strength 4 half of the rank suffix/);
  assert.match(plan, /Acme Tuning makes something of lora/);
  assert.match(plan, /\$123 per million training tokens.*temper's table of 2026-03-04/);
  assert.match(
    plan,
    /Acme Tuning takes no new fine-tuning jobs since 2026-05-06 note Use dialect azure or nebius/,
  );

  const { code, err, out: ran } = await project.call("run", "hosted.yaml");
  assert.equal(code, 0, err);
  const created = service.calls.find(({ method, path }) => method === "POST" && path === "/fine_tuning/jobs");
  const { training_file: file, validation_file: _, ...body } = created?.body as Record<string, unknown>;
  assert.deepEqual(body, {
    model: "gpt-4.1-mini-2025-04-14",
    suffix: "hosted-lora",
    acme: { passes: 6, strength: 4 },
  });
  assert.ok(service.files.has(String(file)));
  // The other services refuse the field; here it is left out and named.
  assert.match(err + ran, /messages\[\]\.mood/);
  assert.ok(service.count("POST", /^\/uploads\/.*\/parts$/) >= 2, "the file went up in parts");
  assert.equal((await project.call("run", "hosted.yaml")).code, 0);
  assert.equal(service.jobs.length, 1);
});

/** The first list of allowed values that holds a name. */
function enumWith(schema: unknown, name: string): unknown {
  if (typeof schema !== "object" || schema === null) return undefined;
  const { enum: values } = schema as { enum?: unknown };
  if (Array.isArray(values) && values.includes(name)) return values;
  return Object.values(schema).map((part) => enumWith(part, name)).find((found) => found !== undefined);
}
