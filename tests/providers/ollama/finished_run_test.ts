// deno-lint-ignore-file camelcase -- names of the trainer's files
import assert from "../../deps/assert.ts";
import { basename, join } from "../../../src/deps/path.ts";
import { denoFs } from "../../../src/lib/files/fs.ts";
import { writeJson } from "../../../src/lib/json/json_file.ts";
import { serveFiles } from "../../file_server.ts";
import { requestOf } from "./kit.ts";
import { startOllama, WITHOUT_OLLAMA } from "./server.ts";

const ROOT = join(import.meta.dirname!, "..", "..", "..");

/** A run whose training left a GGUF file and no answers. */
async function finishedRun(dir: string): Promise<string> {
  const runDir = join(dir, "run");
  await denoFs.mkdirp(join(runDir, "job"));
  const { gguf: { path, bytes, sha256 }, serving } = await requestOf(join(runDir, "job"));
  await writeJson(join(runDir, "job", "serving.json"), serving, denoFs);
  const result = {
    version: 1,
    state: "done",
    metric: "none",
    before: null,
    few_shot: null,
    after: null,
    parameters: { trainable: 1, total: 2 },
    steps: 1,
    tokens: { trained: 1, supervised: 1 },
    weights_sha256: sha256,
    artifacts: [{ kind: "gguf", path: basename(path), bytes, sha256 }],
    changes: null,
    environment: { device: "cpu", dtype: "fp32" },
    timing: {},
    resources: { peak_rss: 1 },
  };
  await writeJson(join(runDir, "job", "result.json"), result, denoFs);
  return runDir;
}

Deno.test({
  name: "a temper that comes over HTTP registers a run although the shared cache cannot be written",
  ignore: WITHOUT_OLLAMA,
  async fn() {
    await using ollama = await startOllama({ engine: false });
    await using server = serveFiles(ROOT);
    const dir = await Deno.makeTempDir();
    const runDir = await finishedRun(dir);
    await Deno.writeTextFile(join(dir, "file"), "");
    const [cacheDir, sharedDir, out] = [join(dir, "own"), join(dir, "file", "temper"), join(dir, "out")];
    const spec = { provider: { kind: "local" }, evaluate: { metric: "none" } };
    const program = `
import { registerRun } from "${server.url}src/providers/ollama/finished_run.ts";
import { systemClock } from "${server.url}src/lib/clock.ts";
import { denoFs } from "${server.url}src/lib/files/fs.ts";
const said = [];
const work = {
  fs: denoFs, clock: systemClock, env: {}, signal: new AbortController().signal,
  progress: ({ message }) => message && said.push(message),
  ...${JSON.stringify({ cacheDir, sharedDir, runDir, out })},
};
const options = ${JSON.stringify({ model: "remote", server: ollama.address })};
const { model } = await registerRun(work, ${JSON.stringify(spec)}, options);
console.log(JSON.stringify({ model, said }));`;
    const path = join(dir, "program.js");
    await Deno.writeTextFile(path, program);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-config", "--no-lock", path],
    }).output();
    const [text, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert.notEqual(text, "", errors);
    const { model, said } = JSON.parse(text!);
    assert.equal(model, "remote");
    assert.match(said.join("\n"), /^Cannot write to the shared cache /m);
    assert.ok((await denoFs.list(join(cacheDir, "trainer"))).length > 0);
    await Deno.remove(dir, { recursive: true });
  },
});
