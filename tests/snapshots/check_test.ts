import { check } from "../../src/commands/check.ts";
import { FIVE_MISTAKES, MATRIX, writePipeline } from "./pipeline.ts";
import { GOOD } from "../spec/kit.ts";
import { snapshotTest } from "./kit.ts";

snapshotTest(check, async ({ project, call }) => {
  await project(async (home) => {
    await writePipeline(home, "a.yaml");
    await call("a file that is fine", home, ["a.yaml"]);
    await call("no such file", home, ["b.yaml"]);
    await home.write("bad.yaml", FIVE_MISTAKES);
    await call("five mistakes", home, ["bad.yaml"]);
    await call("several files", home, ["a.yaml", "bad.yaml"]);
    await call("a wrong override", home, ["a.yaml", "--set", "method.rank=x"]);
    await home.write("m.yaml", MATRIX);
    await call("a matrix", home, ["m.yaml"]);
    await home.write("yaml.yaml", "version: 1\nname: [a\n");
    await call("no YAML", home, ["yaml.yaml"]);
    await call("no file named", home, []);
    await call("an unknown option", home, ["a.yaml", "--jsn"]);
  });
  await project(async (home) => {
    await writePipeline(home, "data.yaml");
    const rows = ["lamp on", "lamp on", "nothing", "lamp off"].map((command, i) => ({
      command,
      action: ["on", "on", "nan", ""][i],
    }));
    await home.write("rows.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    await home.write("data.yaml", GOOD.replace("{{ command }}", "{{ comand }}"));
    await call("rows with mistakes, and a misspelt column", home, ["data.yaml"]);
    await call("the file alone", home, ["data.yaml", "--no-data"]);
  });
});
