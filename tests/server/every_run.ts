import { join } from "../../src/deps/path.ts";
import { denoFs, type FileLock } from "../../src/lib/files/fs.ts";
import { BEGINNING, DONE, metric, type Site, training } from "./kit.ts";

const RECORDED = new URL("../fixtures/runs/v1/", import.meta.url);
const HELD = ["running", "stalled"];
/** Without a command: the training goes on, or has left its result. */
const ALONE = ["unattended", "trained"];

export interface EveryRun extends Disposable {
  /** Folders in which a run was started, whatever became of it. */
  readonly ids: readonly string[];
  /** Of a run that was removed after the server had seen it. */
  readonly removed: string;
}

/** Fills a site with a run in every state, sound and damaged in every way. */
export async function addEveryRun(s: Site): Promise<EveryRun> {
  for await (const { name, isDirectory } of Deno.readDir(RECORDED)) {
    if (isDirectory) await addRecorded(s, name);
  }
  await s.addRun("full", DONE);
  await addParts(s, "full");
  await s.addRun("broken-parts", DONE);
  await addBrokenParts(s, "broken-parts");
  await s.write("full/tags.json", '{"version":1,"tags":["baseline","keep"],"note":"before the new prompts"}');
  await s.write(".tagged", "full\nbroken-parts\ngone\n");
  await s.write("broken-parts/tags.json", '{"version":1,"tags":["<b>"]}');
  const damaged = await addDamaged(s);
  for (const id of [...HELD, ...ALONE]) await s.addRun(id, [...BEGINNING, ...training(3)]);
  await s.write("running/job/metrics.jsonl", metric(1, 4));
  await s.write("unattended/job/metrics.jsonl", metric(40, 2));
  await s.write("trained/job/result.json", '{"version": 1, "state": "done"}');
  const held = [...HELD.map((id) => `${id}/lock`), "unattended/job/lock"];
  const locks = await Promise.all(held.map((path) => denoFs.lock(join(s.runsDir, path))));
  const gone = await s.addRun("removed", DONE);
  await s.sources.index.rows();
  await Deno.remove(gone, { recursive: true });
  const recorded = (await denoFs.list(RECORDED.pathname)).filter((name) => !name.includes("."));
  return {
    ids: [...recorded, "full", "broken-parts", ...damaged, ...HELD, ...ALONE],
    removed: "removed",
    [Symbol.dispose]: () => locks.forEach((lock?: FileLock) => lock?.release()),
  };
}

async function addRecorded(s: Site, name: string): Promise<void> {
  for (const file of ["events.jsonl", "pipeline.yaml", "plan.json"]) {
    await s.write(join(name, file), await Deno.readTextFile(new URL(`${name}/${file}`, RECORDED)));
  }
}

/** Everything a page can show of a run. */
export async function addParts(s: Pick<Site, "write">, id: string): Promise<void> {
  const row = { origin: "eval.jsonl:1", prompt: "a", expected: "b", before: "c", after: "b" };
  const verdicts = [[false, true], [false, false], [true, false], [true, true], [null, null]];
  const rows = verdicts.map(([before_ok, after_ok]) => ({ ...row, before_ok, after_ok }));
  const lengths = { shortest: 1, median: 2, p90: 3, p99: 4, longest: 5, histogram: [{ upTo: 8, count: 5 }] };
  const set = { format: "columns", why: "columns are named", rows: 5, chars: 50, lengths };
  const source = { path: "a.jsonl", set: "train", rows: 5, used: 5, unused: 0, bytes: 99, sha256: "ab" };
  const finding = { origin: "a.jsonl:2", field: "user", problem: "is empty", excerpt: "" };
  const report = {
    version: 1,
    train: set,
    eval: null,
    split: { held: 1, share: 0.2, seed: 7 },
    sources: [source],
    checks: { empty: { severity: "warn", count: 1, findings: [finding] } },
    unused: [{ field: "messages[].name", count: 4, rows: 3 }, {
      field: "note",
      count: 3,
      rows: 3,
      why: "of old rows",
    }],
    moreUnused: { fields: 1, count: 9 },
  };
  const lines = (values: readonly unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");
  await s.write(`${id}/pipeline.yaml`, "name: full\n");
  await s.write(`${id}/job/artifacts/Modelfile`, "FROM ./model.gguf\n");
  await s.write(`${id}/job/artifacts/predictions.jsonl`, lines(rows));
  await s.write(
    `${id}/steps/5-monitor/served.jsonl`,
    lines(rows.map((_, i) => ({ served: "b", served_ok: true, same: i > 0 }))),
  );
  const messages = [{ role: "user", content: "a" }, { role: "assistant", content: "b" }];
  await s.write(`${id}/job/eval.jsonl`, lines([{ origin: row.origin, messages }]));
  await s.write(
    `${id}/job/metrics.jsonl`,
    Array.from({ length: 5000 }, (_, i) => metric(i + 1, 4 / (i + 1))).join(""),
  );
  await s.write(`${id}/job/trainer.log`, "one\ntwo\n");
  await s.write(`${id}/steps/2-format/report.json`, JSON.stringify(report));
}

/** The same, each in a form that nothing can be made of. */
async function addBrokenParts(s: Site, id: string): Promise<void> {
  const huge = '{"type":"train","step":1e999,"loss":-1e999,"smoothed":"x","rss":null}\n';
  await Deno.mkdir(join(s.runsDir, id, "pipeline.yaml"));
  await s.write(`${id}/plan.json`, "[");
  await s.write(`${id}/job/artifacts/Modelfile`, "\0\ud800");
  await s.write(`${id}/job/artifacts/predictions.jsonl`, '{"origin":1}\n');
  await s.write(`${id}/job/metrics.jsonl`, `${huge}"train"\n{"type":"train"\n${metric(3, 1)}torn "train`);
  await s.write(`${id}/job/trainer.log`, "\x1b[31m\0\r\r\n".repeat(50_000));
  await s.write(`${id}/steps/2-format/report.json`, '{"version":2}');
}

/** Logs that are torn, malformed, empty or no file. Returns the folders that have one. */
async function addDamaged(s: Site): Promise<string[]> {
  const torn = await s.addRun("torn", BEGINNING);
  await Deno.writeTextFile(join(torn, "events.jsonl"), '{"v":1,"seq":99,"t":"2026', { append: true });
  await s.write("malformed/events.jsonl", '{"v":1}\n<b>\n');
  await s.write("binary/events.jsonl", "\0\xff\xfe\n");
  await s.write("empty/events.jsonl", "");
  await s.write("half-a-line/events.jsonl", '{"v":1');
  await s.write("no-log/notes.txt", "x");
  await Deno.mkdir(join(s.runsDir, "folder", "events.jsonl"), { recursive: true });
  return ["torn", "malformed", "binary", "empty", "half-a-line", "no-log", "folder"];
}
