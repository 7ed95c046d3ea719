import assert from "../../deps/assert.ts";
import fc from "fast-check";
import { UsageError } from "../../../src/lib/errors.ts";
import { builtinBase } from "../../../src/providers/trainer/base/builtin.ts";
import { goTemplate, TEMPLATES } from "../../../src/providers/trainer/serving/templates.ts";
import {
  modelfile,
  type ModelfileFacts,
  servingOf,
} from "../../../src/providers/trainer/serving/modelfile.ts";
import { comment, quoted } from "../../../src/providers/trainer/serving/modelfile_text.ts";
import { Spec } from "../../../src/spec/schema/schema.ts";
import { parseModelfile } from "./modelfile_grammar.ts";

const BASE = builtinBase("builtin:smollm2-135m-instruct");

function facts(changes: Partial<ModelfileFacts> = {}, method: object = {}): ModelfileFacts {
  const spec = Spec.parse({
    version: 1,
    name: "home",
    dataset: { source: "home.jsonl" },
    method: { kind: "lora", ...method },
    provider: { kind: "ollama", base: BASE.name, model: "home" },
  });
  return {
    model: "home",
    base: BASE.name,
    spec,
    shape: BASE.shape!,
    context: 8192,
    template: TEMPLATES[0]!,
    opening: "",
    kept: 0,
    system: "Home:",
    train: { rows: 176, epochs: 1, learningRate: 2e-3 },
    ...changes,
  };
}

function valueOf(text: string, name: string): string | undefined {
  return parseModelfile(text).find((instruction) => instruction.name === name)?.args;
}

Deno.test("modelfile() says the same to Ollama as was meant, for every template", () => {
  for (const template of TEMPLATES) {
    const parsed = parseModelfile(modelfile(facts({ template })));
    assert.deepEqual(parsed, [
      { name: "FROM", args: "./model.gguf" },
      { name: "TEMPLATE", args: goTemplate(template, "") },
      ...template.stop.map((stop) => ({ name: "stop", args: stop })),
      { name: "temperature", args: "0" },
      { name: "repeat_penalty", args: "1.0" },
      { name: "num_ctx", args: "4096" },
      { name: "SYSTEM", args: "Home:" },
    ]);
  }
});

Deno.test("modelfile() leaves a chat template in Jinja to the file and says what it takes", () => {
  const jinja = "{% if enable_thinking %}<think></think>{% endif %}";
  const template = { name: "base", stop: ["<|im_end|>"], jinja, thinksUnasked: true };
  const text = modelfile(facts({ template }));
  assert.equal(valueOf(text, "TEMPLATE"), undefined);
  assert.equal(valueOf(text, "stop"), "<|im_end|>");
  assert.match(text, /^# The chat template of the training is inside model\.gguf, .* Ollama 0\.30/m);
  assert.match(text, /^# Talk to it: ollama run home --think=false$/m);
  const { template: sent, chat_template: inFile, think } = servingOf(facts({ template }));
  assert.deepEqual([sent, inFile, think], [undefined, jinja, false]);
  const both = servingOf(
    facts({ template: { ...template, turns: TEMPLATES[0]!.turns, thinksUnasked: false } }),
  );
  assert.equal(both.template, goTemplate(TEMPLATES[0]!, ""));
  assert.deepEqual([both.chat_template, both.think], [jinja, undefined]);
});

Deno.test("modelfile() begins prompts with the tokens of a prefix and keeps them", () => {
  const opening = "<|soft_000|><|soft_001|><s>";
  const text = modelfile(facts({ opening, kept: 3 }, { kind: "prefix", length: 2 }));
  assert.ok(valueOf(text, "TEMPLATE")?.startsWith(`${opening}{{ range`));
  assert.equal(valueOf(text, "num_keep"), "3");
  assert.match(text, /2 vectors of 576 values/);
  assert.match(text, /Trainable parameters: 1,152, one for every 116,767 of the base's\./);
  assert.match(text, /arxiv\.org\/abs\/2104\.08691/);
  assert.equal(valueOf(modelfile(facts()), "num_keep"), undefined);
  assert.equal(valueOf(text, "num_ctx"), "4096");
  const long = modelfile(facts({ kept: 4096 }, { kind: "prefix", length: 512 }));
  assert.equal(valueOf(long, "num_ctx"), "8192");
});

Deno.test("modelfile() teaches what an adapter adds", () => {
  const text = modelfile(facts({}, { kind: "adapter", size: 96 }));
  assert.match(text, /size 96: how wide it is; the base's own is 1,536 wide/);
  assert.match(text, /Trainable parameters: 4,976,640, 3\.7% of the base's/);
  assert.match(text, /one MLP of 1,632 instead/);
  assert.match(text, /arxiv\.org\/abs\/1902\.00751/);
});

Deno.test("modelfile() teaches what the numbers of LoRA mean", () => {
  const text = modelfile(facts());
  assert.match(text, /scaled by alpha \/ rank = 2\.$/m);
  assert.match(text, /Trainable parameters: 2,442,240, 1\.8% of the base's 134,515,008/);
  assert.match(text, /arxiv\.org\/abs\/2106\.09685/);
  const root = modelfile(facts({}, { rank: 64, rslora: true, target: ["q_proj", "v_proj"] }));
  assert.match(root, /alpha \/ sqrt\(rank\) = 2\.$/m);
  assert.match(root, /in q_proj, v_proj of its 30 layers/);
});

Deno.test("modelfile() says what full and qlora did", () => {
  const full = modelfile(facts({}, { kind: "full" }));
  assert.match(full, /^# home: ".*" fine-tuned with full$/m);
  assert.match(full, /^# Trainable parameters: 134,515,008, all of the base\./m);
  assert.match(full, /weights\/ contains them .* in fp32\.$/m);
  assert.doesNotMatch(full, /adapter\//);
  const qlora = modelfile(facts({}, { kind: "qlora", rank: 4 }));
  assert.match(qlora, /the update is merged into the base's original weights\.$/m);
  assert.match(qlora, /^# Trainable parameters: 1,221,120/m);
  for (const paper of ["2305.14314", "2106.09685"]) assert(qlora.includes(`https://arxiv.org/abs/${paper}`));
  for (const text of [full, qlora]) assert.equal(valueOf(text, "FROM"), "./model.gguf");
});

Deno.test("modelfile() leaves SYSTEM out when rows differ in it, and keeps num_ctx within the base", () => {
  const text = modelfile(facts({ system: undefined, context: 512 }));
  assert.equal(valueOf(text, "SYSTEM"), undefined);
  assert.equal(valueOf(text, "num_ctx"), "512");
});

Deno.test("quoted() is read back by Ollama's grammar as it was, or refused", () => {
  const piece = fc.constantFrom(
    '"',
    '""',
    '"""',
    "\n",
    "\r\n",
    " ",
    "\t",
    "#",
    "FROM x",
    "{{",
    "a",
    "ä",
    "🙂",
    "\\",
  );
  const text = fc.oneof(fc.array(piece).map((pieces) => pieces.join("")), fc.string({ unit: "grapheme" }));
  fc.assert(
    fc.property(text, (value) => {
      let written: string;
      try {
        written = quoted("the text", value);
      } catch (error) {
        assert(error instanceof UsageError);
        return;
      }
      const file = `# before\nFROM ./model.gguf\nSYSTEM ${written}\n\n# after\nPARAMETER num_ctx 1\n`;
      assert.equal(valueOf(file, "SYSTEM"), value);
      assert.equal(valueOf(file, "num_ctx"), "1");
    }),
    { numRuns: 5000 },
  );
});

Deno.test("quoted() refuses only what the grammar cannot carry", () => {
  for (const fine of ["", '"', 'say "this"', 'a"""', 'a "quoted"\nline', "tabs\tand spaces ", '"""']) {
    assert.equal(valueOf(`FROM x\nSYSTEM ${quoted("it", fine)}\n`, "SYSTEM"), fine);
  }
  for (const lost of ["a\u200bb", "a\u00a0b", "a\0b", "\ufeff", 'a"""\nb']) {
    assert.throws(() => quoted("the system prompt", lost), {
      code: "modelfile",
      message: /^Cannot write the Modelfile: the system prompt (contains .*U\+[0-9A-F]{4}|has lines)/,
    });
  }
});

Deno.test("comment() keeps every line a comment", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom("\n", "\r", "#", " ", "a", "FROM b") }), (text) => {
    assert.deepEqual(parseModelfile(`${comment(text)}\nFROM x\n`), [{ name: "FROM", args: "x" }]);
  }));
});
