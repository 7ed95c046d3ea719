// deno-lint-ignore-file no-console -- says what was measured
import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { ROOT, WITHOUT_TRAINER } from "../e2e/kit.ts";
import { startOllama, WITHOUT_ENGINE } from "../providers/ollama/server.ts";
import { assertAsTrained, judged, type Judgement, ON_EDGE } from "./judge.ts";
import { HERMETIC } from "../hermetic.ts";

async function temper(...args: string[]): Promise<{ code: number; out: string; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", join(ROOT, "cli.ts"), ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...HERMETIC },
    stdin: "null",
  }).output();
  const out = new TextDecoder().decode(stdout);
  return { code, out, text: out + new TextDecoder().decode(stderr) };
}

interface Trained {
  readonly before: number;
  readonly after: number;
  readonly served: {
    readonly metric: number;
    readonly agreement: number;
    readonly "prompts_equal": number;
    readonly "answers_by": string;
  };
  readonly llama: Judgement;
  /** Rows that Ollama answers otherwise. */
  readonly other: number;
  /** Those of them where the trainer's model calls a tool that there is not, which llama-server lets nobody write. */
  readonly invented: number;
}

/** Runs a method's pipeline with a real Ollama, looks at the file with llama.cpp and takes the model away again. */
async function ran(method: string, server: string, runs: string, ...more: string[]): Promise<Trained> {
  const settings = [`provider.server=${server}`, "provider.register=always", ...more];
  const set = settings.flatMap((setting) => ["--set", setting]);
  const { code, text } = await temper("run", `pipelines/${method}.yaml`, "--runs", runs, ...set);
  assert.equal(code, 0, text);
  const { id, metrics } = JSON.parse((await temper("show", "last", "--runs", runs, "--json")).out);
  const { before, after, served } = metrics;
  const answers = await differing(join(runs, id, "steps", "5-monitor", "served.jsonl"));
  const trained = { before, after, served, llama: await judged(join(runs, id)), ...answers };
  console.log(`${[method, ...more].join(" ")}: ${JSON.stringify(trained)}`);
  assert.match((await temper("unregister", "last", "--runs", runs)).out, / was removed from /);
  // A model and its checkpoints take gigabytes.
  await denoFs.remove(join(runs, id, "job", "checkpoints"));
  return trained;
}

/** TEMPER_TEST_PIPELINES: names of those to run, where all would take too long. */
function isWanted(name: string): boolean {
  const wanted = Deno.env.get("TEMPER_TEST_PIPELINES");
  return wanted === undefined || wanted.split(",").includes(name);
}

async function differing(path: string): Promise<{ other: number; invented: number }> {
  const lines = (await Deno.readTextFile(path)).trimEnd().split("\n").map((line) => JSON.parse(line));
  const other = lines.filter(({ same }) => !same).map(({ trainer }) => String(trainer));
  const called = other.map((answer) => /<tool_call>\s*\{"name": "([^"]*)"/.exec(answer)?.[1]);
  const invented = called.filter((name) => name !== undefined && !TOOLS.includes(name)).length;
  return { other: other.length, invented };
}

Deno.test({
  name: "every method's pipeline trains the real base, and Ollama and llama.cpp answer as the trainer does",
  ignore: WITHOUT_TRAINER || WITHOUT_ENGINE,
  async fn(t) {
    const runs = await Deno.makeTempDir({ prefix: "temper-methods-" });
    await using ollama = await startOllama();
    for (const method of ["full", "lora", "qlora", "prefix", "adapter"].filter(isWanted)) {
      await t.step(method, async () => {
        const { before, after, served, llama } = await ran(method, ollama.address, runs);
        assert.ok(after > before, `${method}: ${before} before, ${after} after`);
        assert.equal(served.prompts_equal, llama.rows, "Ollama renders each prompt as training did");
        const tipped = assertAsTrained(llama);
        assert.ok(served.agreement >= 1 - tipped - 1e-9);
        assert.ok(Math.abs(served.metric - after) <= tipped + 1e-9);
      });
    }
    if (isWanted("lora-q8_0")) {
      await t.step("lora in 8 bits: the share of equal answers is reported", async () => {
        const { served, llama } = await ran(
          "lora",
          ollama.address,
          runs,
          "provider.export.quantization=q8_0",
        );
        assert.equal(served.prompts_equal, llama.rows);
        // Eight bits move log-probabilities by tenths of a nat: some rows tip over, most do not.
        const enough = 56;
        assert.ok(llama.equal >= enough, `${llama.equal} of ${llama.rows}`);
        assert.ok(served.agreement >= enough / llama.rows - 1e-9, `${served.agreement}`);
      });
    }
    for (const name of ["tools", "reasoning"].filter(isWanted)) {
      await t.step(`${name}: what is served is taken apart by Ollama, and is the trainer's`, async () => {
        const { before, after, served, llama, other, invented } = await ran(name, ollama.address, runs);
        assert.ok(after >= before + 0.3, `${name}: ${before} before, ${after} after`);
        assert.equal(served.prompts_equal, HELD, "Ollama renders each prompt as training did");
        assert.equal(served.answers_by, "content, reasoning and tool calls");
        assert.ok(Math.abs(served.agreement - (1 - other / HELD)) < 1e-9, `${served.agreement}`);
        const most = ON_EDGE[llama.dtype]!;
        assert.ok(other - invented <= most, `${other} other answers, ${invented} of invented tools`);
        assert.ok(
          Math.abs(served.metric - after) <= (most + invented) / HELD + 1e-9,
          `${served.metric} ${after}`,
        );
      });
    }
    await denoFs.remove(runs);
  },
});

/** Held-out rows of tools.yaml and of reasoning.yaml. */
const HELD = 40;
/** What tools.yaml offers. */
const TOOLS = ["light", "heat", "blinds"];
