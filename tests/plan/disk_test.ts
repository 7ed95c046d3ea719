import assert from "../deps/assert.ts";
import { diskNeeds } from "../../src/plan/disk.ts";

const SIZES = { weights: 100e6, gguf: 900e6, checkpoint: 300e6 };

Deno.test("diskNeeds() counts three checkpoints and what is exported, largest first", () => {
  const needs = diskNeeds(SIZES, { parameters: 500e6 }, { gguf: true, merged: true });
  assert.deepEqual(needs.map(({ what, bytes }) => [what, bytes / 1e6]), [
    ["merged folder", 2000],
    ["3 checkpoints", 900],
    ["GGUF file", 900],
    ["trained weights", 100],
    ["logs and other files", 50],
  ]);
});

Deno.test("diskNeeds() leaves out what is not asked for", () => {
  const needs = diskNeeds(SIZES, { parameters: 500e6 }, { gguf: false, merged: false });
  assert.deepEqual(needs.map(({ what }) => what), [
    "3 checkpoints",
    "trained weights",
    "logs and other files",
  ]);
});
