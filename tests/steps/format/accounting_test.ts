import assert from "../../deps/assert.ts";
import fc from "fast-check";
import type { Json, JsonObject } from "../../../src/lib/json/json.ts";
import { ABILITIES } from "../../../src/providers/abilities.ts";
import { Spec } from "../../../src/spec/schema/schema.ts";
import { Accounting } from "../../../src/steps/format/report/accounting.ts";
import type { Conversation, Shape } from "../../../src/steps/format/shapes/conversation.ts";
import { Converter } from "../../../src/steps/format/shapes/converter.ts";
import { exampleOf } from "../../../src/steps/format/example.ts";
import { Findings } from "../../../src/steps/format/checks/findings.ts";
import { messages } from "../../../src/steps/format/shapes/messages.ts";
import { chooseShape } from "../../../src/steps/format/shapes/shapes.ts";
import { RowMaker, SHAPE_NAMES, type ShapeName } from "./row_maker.ts";

const COLUMNS = { user: "{{ q }}", assistant: "{{ a }}" };
const { checks } = Spec.shape.dataset.parse({
  source: "a.jsonl",
  checks: { rows: "warn", order: "warn", empty: "warn", markup: "warn" },
});

function shapeOf(name: ShapeName): Shape {
  const dataset = Spec.shape.dataset.parse({
    source: "a.jsonl",
    format: name,
    ...name === "columns" && { columns: COLUMNS },
  });
  return chooseShape(dataset, "dataset.source", [{ q: "", a: "" }]).shape;
}

interface Outcome {
  readonly conversation: Conversation | undefined;
  readonly line: string;
  readonly refusals: number;
  readonly accounting: ReturnType<Accounting["summary"]>;
}

function convert(shape: Shape, row: JsonObject, road: "local" | "openai"): Outcome {
  const findings = new Findings(checks);
  const accounting = new Accounting();
  const conversation = new Converter(shape, ABILITIES[road], findings, undefined, accounting).convert(
    "a:1",
    row,
  );
  const line = conversation ? exampleOf("a:1", conversation, { checks, inputs: true }).line : "";
  return {
    conversation,
    line,
    refusals: findings.result("rows").count,
    accounting: accounting.summary(),
  };
}

interface Leaf {
  /** With `[]` for the places in lists. */
  readonly field: string;
  readonly path: string;
  readonly key: string;
  readonly value: string | number | boolean;
}

/** Every value of a row that is no list, no object and not null; JSON text counts as what it says. */
function leavesOf(value: Json, path = "", key = ""): Leaf[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item: Json, i) => leavesOf(item, `${path}[${i}]`, key));
  if (typeof value === "object") {
    return Object.entries(value).flatMap(([name, member]) =>
      leavesOf(member, path === "" ? name : `${path}.${name}`, name)
    );
  }
  if (typeof value === "string" && /^\s*[[{]/.test(value)) return leavesOf(JSON.parse(value), path, key);
  return [{ field: path.replace(/\[\d+\]/g, "[]"), path, key, value: value as Leaf["value"] }];
}

/** Names who speaks or what a part is: read as such, and written in another spelling. */
const STRUCTURE = ["role", "from", "type"];
/** Answers to yes-or-no questions: they have no text of their own to be found again. */
const isAnswer = (value: Leaf["value"]) => typeof value === "boolean";

/** The leaves of a row that are neither in what is written nor accounted for. */
function lost(row: JsonObject, { conversation, line, accounting }: Outcome): string[] {
  const accounted = accounting.unused.map(({ field }) => field);
  const last = conversation?.turns.at(-1)?.field ?? "";
  const [, list, at] = /^(.*)\[(\d+)\]\.\w+$/.exec(last) ?? [];
  const cut = (path: string) => {
    const [, index] = list === undefined || !path.startsWith(`${list}[`)
      ? []
      : /^\[(\d+)\]/.exec(path.slice(list.length)) ?? [];
    return index !== undefined && Number(index) > Number(at) && accounted.includes("turns");
  };
  return leavesOf(row).filter(({ field, path, key, value }) => {
    if (STRUCTURE.includes(key) || isAnswer(value)) return false;
    if (
      accounted.some((name) => field === name || field.startsWith(`${name}.`) || field.startsWith(`${name}[`))
    ) {
      return false;
    }
    const words = typeof value === "string" ? value.match(/w\d+q/g) ?? [] : [String(value)];
    return !words.every((word) => line.includes(word)) && !cut(path);
  }).map(({ path, value }) => `${path}: ${value}`);
}

const rowsOf = (shape: ShapeName) => fc.gen().map((g) => new RowMaker(g).row(shape));

for (const name of SHAPE_NAMES) {
  Deno.test(`Converter accounts for every value of rows as ${name}, on both roads`, () => {
    const shape = shapeOf(name);
    const used = { local: 0, openai: 0 };
    fc.assert(
      fc.property(rowsOf(name), fc.constantFrom("local", "openai"), (row, road) => {
        const outcome = convert(shape, row, road);
        if (!outcome.conversation) {
          return assert.equal(outcome.refusals, 1, "a row that is left out is counted");
        }
        used[road]++;
        assert.deepEqual(lost(row, outcome), []);
      }),
      { numRuns: 1500, seed: 12 },
    );
    assert.ok(used.openai > 100 && (name === "preference" || used.local > 100), JSON.stringify(used));
  });
}

Deno.test("the property fails for a converter that forgets a field", () => {
  const forgetful: Shape = {
    ...messages,
    read(row, complain) {
      row.take("source");
      return messages.read(row, complain);
    },
  };
  const row = {
    source: "w1q",
    messages: [{ role: "user", content: "w2q" }, { role: "assistant", content: "w3q" }],
  };
  assert.deepEqual(lost(row, convert(messages, row, "local")), []);
  assert.deepEqual(lost(row, convert(forgetful, row, "local")), ["source: w1q"]);
});
