import assert from "../../deps/assert.ts";
import type { Json, JsonObject } from "../../../src/lib/json/json.ts";
import { REASONING_FIELDS } from "../../../src/steps/format/shapes/content.ts";
import { FLAG_NAMES, PARTIAL_FLAG_NAMES } from "../../../src/steps/format/shapes/learn_flags.ts";
import { TELLING_FIELDS } from "../../../src/steps/format/shapes/row_fields.ts";
import { chooseShape } from "../../../src/steps/format/shapes/shapes.ts";
import { Spec } from "../../../src/spec/schema/schema.ts";
import { aroundOf, BASES, fateOf, MESSAGE_FIELDS, PAGE, withTables } from "../../../tools/data_table.ts";

const page = await Deno.readTextFile(PAGE);
const ROADS = ["local", "openai"] as const;
const done = { role: "assistant", content: "ok" };
const user = { role: "user", content: "hi" };

Deno.test("docs/data.md says what becomes of each field as the code has it", () => {
  assert.equal(page, withTables(page), "renew it: deno run -A tools/data_table.ts --write");
});

Deno.test("docs/data.md names every field that the code looks at", () => {
  const named = ["messages", "prompt-completion", "preference", "alpaca", "sharegpt"].flatMap((format) =>
    chooseShape(Spec.shape.dataset.parse({ source: "a", format }), "dataset.source", []).shape.fields
  );
  for (
    const name of [...named, ...FLAG_NAMES, ...PARTIAL_FLAG_NAMES, ...TELLING_FIELDS, ...REASONING_FIELDS]
  ) {
    assert.ok(page.includes(`\`${name}\``), `docs/data.md does not mention ${name}`);
  }
  for (const check of Object.keys(Spec.shape.dataset.parse({ source: "a" }).checks)) {
    assert.ok(page.includes(`| \`${check}\` |`), `docs/data.md does not mention the check ${check}`);
  }
});

/** What the page says of a group of names is true of each. */
const GROUPS:
  readonly (readonly [name: string, turn: (name: string) => JsonObject, names: readonly string[]])[] = [
    ["flags that are off", (name) => ({ ...done, [name]: 0 }), FLAG_NAMES],
    ["flags that are on", (name) => ({ ...done, [name]: true }), FLAG_NAMES],
    ["flags that are neither", (name) => ({ ...done, [name]: "yes" }), FLAG_NAMES],
    ["flags for a part", (name) => ({ ...done, [name]: [1] }), PARTIAL_FLAG_NAMES],
    ["reasoning", (name) => ({ ...done, [name]: "so" }), REASONING_FIELDS],
    ["media", (name) => ({ ...user, [name]: "a.png" }), TELLING_FIELDS.slice(0, 6)],
  ];
for (const [group, turn, names] of GROUPS) {
  Deno.test(`Converter treats ${group} alike, whatever they are called`, () => {
    for (const road of ROADS) {
      const fates = names.map((name) => fateOf("messages", { messages: aroundOf(turn(name)) }, road));
      assert.deepEqual(new Set(fates).size, 1, `${road}: ${names.map((name, i) => `${name} ${fates[i]}`)}`);
    }
  });
}

Deno.test("Converter treats the turns of sharegpt and of lists in other fields as those of messages", () => {
  const speech = ({ role, content, ...rest }: JsonObject): JsonObject => ({
    from: role as Json,
    value: content as Json,
    ...rest,
  });
  for (const [field, turn] of MESSAGE_FIELDS) {
    const turns = aroundOf(turn);
    for (const road of ROADS) {
      const fate = fateOf("messages", { messages: turns }, road);
      const others = {
        sharegpt: { conversations: turns.map(speech) },
        "prompt-completion": { prompt: turns.slice(0, -1), completion: turns.slice(-1) },
      };
      for (const [shape, row] of Object.entries(others)) {
        assert.equal(fateOf(shape, row, road), fate, `${field} as ${shape}, ${road}`);
      }
    }
  }
});

Deno.test("Converter treats a row's other fields alike in all shapes that do not name their fields", () => {
  const members: readonly JsonObject[] = [
    { tools: [{ name: "look" }] },
    { label: false },
    { label: true },
    { kto_tag: "False" },
    { images: ["a.png"] },
    { images: [], videos: null },
    { rejected_response: "no" },
    { train: false },
    { weight: 0 },
    { weight: 0.5 },
    { loss: 0 },
    { masked: true },
    { masked: false },
    { source: "web" },
    { meta: { a: null } },
  ];
  for (const road of ROADS) {
    for (const more of members) {
      const fates = ["messages", "prompt-completion", "alpaca", "sharegpt"].map((shape) =>
        fateOf(shape, { ...BASES[shape], ...more }, road)
      );
      assert.equal(new Set(fates).size, 1, `${road} ${JSON.stringify(more)}: ${fates}`);
    }
  }
});
