import assert from "../deps/assert.ts";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Screen } from "./screen.ts";

const PLAY = fileURLToPath(new URL("./play.ts", import.meta.url));
const hasScript = spawnSync("script", ["--version"]).stdout?.toString().includes("util-linux") ?? false;

Deno.test({
  name:
    "the live display on a real pseudo-terminal of 60 columns leaves a clean screen (needs util-linux script)",
  ignore: !hasScript,
  fn() {
    const command =
      `stty cols 60 rows 24; exec "${Deno.execPath()}" run --quiet --no-prompt --allow-all "${PLAY}"`;
    const { status, stdout, stderr } = spawnSync("script", ["-qec", command, "/dev/null"], {
      env: { ...Deno.env.toObject(), TERM: "xterm-256color", NO_COLOR: "" },
      timeout: 60_000,
    });
    assert.equal(status, 0, stderr.toString());
    const screen = new Screen(60);
    screen.write(stdout.toString());
    assert.equal(screen.wrapped, false);
    assert.equal(screen.cursorHidden, false);
    const lines = screen.text().split("\n");
    assert.deepEqual(lines.map((line) => line.slice(0, 13)), [
      "20261122-0800",
      "  ✓ extract  ",
      "  ✓ format   ",
      "  ! configure",
      '    "huggingf',
      "  ✓ configure",
      "  ✓ submit   ",
      "  ! bf16 is s",
      "  ✓ monitor  ",
    ]);
    assert.ok(stdout.toString().includes("━"), "no bar was drawn");
  },
});
