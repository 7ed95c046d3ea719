import assert from "../deps/assert.ts";
import { section } from "../../src/cli/plan_text.ts";
import { textWidth } from "../../src/lib/text/text_width.ts";

const ID = "20261122-080000-home-lora-3fa2";
const cells = (...texts: string[]) => texts.map((text) => ({ text }));
const plain = (text: string) => text;

Deno.test("section() cuts no run's id, whatever the width", () => {
  const rows = [
    cells("extract", "cached", "11111111", `cached by ${ID}`),
    cells("format", "runs", "2", "no run"),
  ];
  for (const width of [0, 100, 80, 60, 40]) {
    const lines = section("step", ["", "key", "why"], width, plain, rows);
    assert.ok(lines.some((line) => line.includes(ID)), lines.join("\n"));
    if (width > 0) { for (const line of lines) assert.ok(textWidth(line) <= width, line); }
  }
});

Deno.test("section() keeps names and values where little would be left of the reasons", () => {
  const rows = [
    cells("train.checkpoint_seconds", "60", "Seconds between checkpoints, and so the most work lost"),
  ];
  const at = (width: number) => section("setting", ["value", "why"], width, plain, rows)[1];
  assert.match(at(80)!, /^ {2}train\.checkpoint_seconds +60 +Seconds between .*…$/);
  assert.equal(at(60)!.trimEnd(), "  train.checkpoint_seconds  60");
});
