import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import { startLlamaServer } from "../providers/ollama/llama_server.ts";
import { startOllama, WITHOUT_ENGINE } from "../providers/ollama/server.ts";
import { project, ROOT, WARM_PYTHON, WITHOUT_TRAINER } from "./kit.ts";

const TOOLS = [{
  type: "function",
  function: {
    name: "light",
    description: "Switch <one> & all",
    parameters: {
      type: "object",
      properties: {
        room: { type: "string", description: "Where: naïve café" },
        on: { type: "boolean" },
        steps: { type: "array", items: { type: "object", properties: { to: { type: "number" }, by: {} } } },
      },
      required: ["room", "on"],
    },
  },
}];

type Row = { readonly messages: readonly object[]; readonly tools?: readonly object[] };

function call(id: string, room: string, on: boolean) {
  const args = { room, on, steps: [{ to: 1.5, by: 1 }] };
  return { id, type: "function", function: { name: "light", arguments: JSON.stringify(args) } };
}

/** Every situation by name; which of them a template knows is its own affair. */
const ROWS: Readonly<Record<string, (i: number, id: string) => Row>> = {
  plain: (i) => ({
    messages: [{ role: "user", content: `turn on ${i} ` }, { role: "assistant", content: `on ${i}` }],
  }),
  system: (i) => ({
    messages: [
      { role: "system", content: "Home:" },
      { role: "user", content: `turn ${i}` },
      { role: "assistant", content: "on" },
      { role: "user", content: `and ${i}` },
      { role: "assistant", content: `off ${i}` },
    ],
  }),
  reasoning: (i) => ({
    messages: [
      { role: "user", content: `why ${i}?` },
      { role: "assistant", reasoning_content: `because of ${i}`, content: `${i}` },
    ],
  }),
  calls: (i, id) => ({
    messages: [
      { role: "user", content: `light ${i}` },
      { role: "assistant", content: "", tool_calls: [call(id, `room "${i}"`, i % 2 === 0)] },
    ],
    tools: TOOLS,
  }),
  results: (i, id) => ({
    messages: [
      { role: "user", content: `light ${i}` },
      { role: "assistant", content: "", tool_calls: [call(id, "attic", true)] },
      { role: "tool", tool_call_id: id, name: "light", content: `done ${i}` },
      { role: "assistant", content: `It is on: ${i}.` },
    ],
    tools: TOOLS,
  }),
  "thought results": (i, id) => ({
    messages: [
      { role: "user", content: `light ${i}` },
      { role: "assistant", reasoning_content: "to call", content: "", tool_calls: [call(id, "attic", true)] },
      { role: "tool", tool_call_id: id, name: "light", content: `done ${i}` },
      { role: "assistant", reasoning_content: "to say", content: `It is on: ${i}.` },
    ],
    tools: TOOLS,
  }),
};

interface Family {
  readonly bos: string;
  readonly eos: string;
  readonly tokens: readonly string[];
  readonly rows: readonly string[];
  readonly id?: string;
}

/** Templates in the manner of these families, with what is peculiar to each. */
const FAMILIES: Readonly<Record<string, Family>> = {
  qwen3: {
    bos: "",
    eos: "<|im_end|>",
    tokens: [],
    rows: ["plain", "system", "reasoning", "calls", "results", "thought results"],
  },
  llama31: {
    bos: "<|begin_of_text|>",
    eos: "<|eot_id|>",
    tokens: ["<|start_header_id|>", "<|end_header_id|>"],
    rows: ["plain", "system", "calls", "results"],
  },
  gemma: { bos: "<bos>", eos: "<end_of_turn>", tokens: ["<start_of_turn>"], rows: ["plain"] },
  mistral: {
    bos: "<s>",
    eos: "</s>",
    tokens: [
      "[SYSTEM_PROMPT]",
      "[/SYSTEM_PROMPT]",
      "[INST]",
      "[/INST]",
      "[TOOL_CALLS]",
      "[AVAILABLE_TOOLS]",
      "[/AVAILABLE_TOOLS]",
      "[TOOL_RESULTS]",
      "[/TOOL_RESULTS]",
    ],
    rows: ["plain", "system", "calls", "results"],
    id: "call00000",
  },
};

async function python(args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(WARM_PYTHON!, {
    args,
    env: { PYTHONPATH: ["tests", ""].map((part) => join(ROOT, "trainer", part)).join(":") },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test({
  name: "prompts of templates in Jinja are the same tokens in training and in Ollama",
  ignore: WITHOUT_TRAINER || WITHOUT_ENGINE,
  async fn(t) {
    await using ollama = await startOllama();
    for (const [family, { bos, eos, tokens, rows: kinds, id = "call_0" }] of Object.entries(FAMILIES)) {
      await t.step(family, async () => {
        const base = await Deno.makeTempDir({ prefix: `temper-${family}-` });
        const template = join(ROOT, "tests", "e2e", "templates", `${family}.jinja`);
        await python([join(ROOT, "tests", "e2e", "chat_base.py"), base, template, bos, eos, ...tokens]);
        const lines = (count: number, from: number) =>
          Array.from({ length: count }, (_, i) => ROWS[kinds[i % kinds.length]!]!(i + from, id));
        const calls = kinds.includes("calls");
        const tiny = await project({
          dataset: { source: "train.jsonl", eval: "eval.jsonl" },
          // Every answer is to be the same: a random model stands on edges that eight bits tip.
          train: { learning_rate: 0.03, max_length: 2048, dtype: "fp32" },
          evaluate: { metric: calls ? "tool_call" : "exact_match", max_new_tokens: 12 },
          provider: {
            kind: "ollama",
            base,
            model: family,
            server: ollama.address,
            register: "always",
            export: { quantization: "f32" },
          },
        });
        const text = (rows: readonly Row[]) => rows.map((row) => JSON.stringify(row) + "\n").join("");
        await denoFs.writeAtomic(join(tiny.dir, "train.jsonl"), text(lines(3 * kinds.length, 0)));
        await denoFs.writeAtomic(join(tiny.dir, "eval.jsonl"), text(lines(2 * kinds.length, 100)));
        const { code, stderr } = await tiny.temper("run", "tiny.yaml");
        assert.equal(code, 0, stderr);
        const { id: run, metrics } = JSON.parse((await tiny.temper("show", "last", "--json")).stdout);
        const { metric: _, ...proof } = metrics.served;
        const count = 2 * kinds.length;
        assert.deepEqual(proof, {
          agreement: 1,
          answers_by: "content, reasoning and tool calls",
          rows: count,
          prompts_equal: count,
          prompts_by: "text and token count",
        });
        await sameIds(join(tiny.dir, "runs", run, "job"), count);
        assert.match((await tiny.temper("plan", "tiny.yaml")).stdout, /Jinja .*Ollama 0\.30 or newer/);
        await tiny.remove();
        await denoFs.remove(base);
      });
    }
  },
});

/** The text of each prompt, which is the server's own too, in the engine's tokens. */
async function sameIds(job: string, rows: number): Promise<void> {
  const trained: number[][] = JSON.parse(await python([join(ROOT, "tests", "e2e", "prompt_ids.py"), job]));
  assert.equal(trained.length, rows);
  const predictions = await denoFs.readText(join(job, "artifacts", "predictions.jsonl"));
  await using engine = await startLlamaServer(join(job, "artifacts", "model.gguf"));
  for (const [i, line] of predictions.trim().split("\n").entries()) {
    assert.deepEqual(await engine.tokens(JSON.parse(line).prompt), trained[i]);
  }
}
