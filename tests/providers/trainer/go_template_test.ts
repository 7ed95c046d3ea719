import assert from "../../deps/assert.ts";
import { join } from "../../../src/deps/path.ts";
import fc from "fast-check";
import { goTemplate } from "../../../src/providers/trainer/serving/go_template.ts";
import {
  detectTemplate,
  type Message,
  renderTurns,
  TEMPLATES,
} from "../../../src/providers/trainer/serving/templates.ts";

/** Renders each template with Go's own text/template, as the server does. */
const PROGRAM = `package main

import (
	"encoding/json"
	"os"
	"strings"
	"text/template"
)

type Message struct{ Role, Content string }

func main() {
	var cases []struct {
		Template string
		Messages []*Message
	}
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	texts := []string{}
	for _, c := range cases {
		var b strings.Builder
		t := template.Must(template.New("").Option("missingkey=zero").Parse(c.Template))
		if err := t.Execute(&b, map[string]any{"Messages": c.Messages}); err != nil {
			panic(err)
		}
		texts = append(texts, b.String())
	}
	json.NewEncoder(os.Stdout).Encode(texts)
}
`;

interface Case {
  readonly template: string;
  readonly messages: readonly Message[];
}

async function renderedByGo(cases: readonly Case[]): Promise<string[]> {
  const dir = await Deno.makeTempDir();
  try {
    const main = join(dir, "main.go");
    await Deno.writeTextFile(main, PROGRAM);
    const go = new Deno.Command("go", { args: ["run", main], stdin: "piped", stdout: "piped", cwd: dir })
      .spawn();
    const writer = go.stdin.getWriter();
    await writer.write(new TextEncoder().encode(JSON.stringify(cases)));
    await writer.close();
    return JSON.parse(new TextDecoder().decode((await go.output()).stdout));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function hasGo(): Promise<boolean> {
  try {
    return (await new Deno.Command("go", { args: ["version"] }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const content = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("{{ .Content }}", "}}", "<|im_end|>", " spaces ", "\n\n", ""),
);
const turns = fc.array(fc.record({ user: content, assistant: content }), { minLength: 1, maxLength: 3 });

Deno.test({
  name: "goTemplate() renders in Go what is trained on (needs the Go toolchain)",
  ignore: !await hasGo(),
  async fn() {
    const cases: (Case & { expected: string })[] = [];
    for (const { system, pairs } of fc.sample(fc.record({ system: fc.option(content), pairs: turns }), 60)) {
      const conversation: Message[] = system === null ? [] : [{ role: "system", content: system }];
      for (const { user, assistant } of pairs) {
        conversation.push({ role: "user", content: user }, { role: "assistant", content: assistant });
      }
      const messages = conversation.slice(0, -1);
      for (const template of TEMPLATES) {
        const opening = `<|soft_000|>{{${template.prefix}`;
        const text = { template: goTemplate(template, opening), messages };
        const open = opening + renderTurns(template, messages, true);
        cases.push({ ...text, expected: open });
        // An answer that was begun is continued.
        const begun = { ...text, messages: conversation };
        cases.push({ ...begun, expected: open + conversation.at(-1)!.content });
      }
    }
    assert.deepEqual(await renderedByGo(cases), cases.map(({ expected }) => expected));
  },
});

Deno.test("TEMPLATES close the assistant's turn with their first stop token and open it with something", () => {
  for (const { turns: { assistant }, stop, prefix } of TEMPLATES) {
    assert(assistant.close.startsWith(stop[0]!));
    assert(prefix + assistant.open !== "");
  }
});

Deno.test("detectTemplate() finds the family of a base's own chat template", () => {
  assert.equal(detectTemplate("{{ '<|im_start|>' + role }}"), "chatml");
  assert.equal(detectTemplate("<|start_header_id|>user<|end_header_id|> <|eot_id|>"), "llama3");
  assert.equal(detectTemplate("[INST] {{ content }} [/INST]"), "mistral");
  assert.equal(detectTemplate("<|user|>\n<|assistant|>"), "zephyr");
  assert.equal(detectTemplate("### Instruction:"), null);
});
