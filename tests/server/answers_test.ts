import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { parse } from "../../src/deps/csv_parse.ts";
import { denoFs, type Fs } from "../../src/lib/files/fs.ts";
import type { NewEvent } from "../../src/log/events.ts";
import { REPORT } from "../pages/report.ts";
import { addAnswered, ODD_ROWS, originOf } from "./answers.ts";
import { DONE, type Site, site, STARTED } from "./kit.ts";

const ID = "20261122-080000-home-lora-aaaa";

/** Numbers of the rows that a page shows. */
async function rowsOf(s: Site, query: string): Promise<number[]> {
  const page = await s.text(`/runs/${ID}${query}`);
  return [...page.matchAll(/class="place">data\/home\.eval\.jsonl:(\d+)</g)].map(([, n]) => Number(n));
}

async function jsonLines(s: Site, query = ""): Promise<Record<string, unknown>[]> {
  const text = await s.text(`/runs/${ID}/answers.jsonl${query}`);
  return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

Deno.test("the answers are filtered and searched by the address, with a count for each filter", async () => {
  await using s = await site();
  await addAnswered(s, ID);
  const wanted: Readonly<Record<string, readonly number[]>> = {
    "": [1, 2, 3, 4, 5, 6, 7, 8, 9],
    "?change=fixed": [1],
    "?change=still_wrong": [2, 5, 6, 8, 9],
    "?change=broken": [3],
    "?change=still_right": [4],
    "?change=right": [1, 4],
    "?change=wrong": [2, 3, 5, 6, 7, 8, 9],
    "?change=served_differently": [2],
    "?q=HALL+light": [1, 2],
    "?q=kitchen": [2],
    // Only the served model says that.
    "?q=off(kitchen": [2],
    "?q=HALL&change=fixed": [1],
    [`?q=${encodeURIComponent("כבה")}`]: [6],
    "?q=never+there": [],
    // What is wrong in an address counts as absent.
    [`?change=x&rows=-1&q=${"x".repeat(201)}`]: [1, 2, 3, 4, 5, 6, 7, 8, 9],
  };
  for (const [query, rows] of Object.entries(wanted)) {
    assert.deepEqual(await rowsOf(s, query), rows, query);
    if (query.includes("rows=")) continue;
    assert.deepEqual((await jsonLines(s, query)).map(({ row }) => Number(row) + 1), rows, query);
  }
  const counts = async (query: string) =>
    [...(await s.text(`/runs/${ID}${query}`)).matchAll(/#answers"[^>]*>([a-z ]+) <b>(\d+)/g)].map((
      [, ...n],
    ) => n.join(" "));
  assert.deepEqual(await counts(""), [
    "all 9",
    "right 2",
    "fixed 1",
    "still wrong 5",
    "newly broken 1",
    "still right 1",
    "served differently 1",
  ]);
  assert.deepEqual((await counts("?q=light&change=fixed")).slice(0, 4), [
    "all 2",
    "right 1",
    "fixed 1",
    "still wrong 1",
  ]);
  assert.match(await s.text(`/runs/${ID}?q=light`), /href="[^"]*\?change=fixed&amp;q=light#answers"/);
  assert.match(await s.text(`/runs/${ID}?q=light`), /answers\.csv\?q=light"/);
});

Deno.test("an answer is marked where it is not the expected one, and what it holds is text", async () => {
  await using s = await site();
  await addAnswered(s, ID);
  const page = await s.text(`/runs/${ID}`);
  assert.match(page, /light\.<del>off<\/del><ins>on<\/ins>\(hall\)/);
  assert.match(
    page,
    /Served differently.*light\.<del>on<\/del><ins>off<\/ins>\(<del>hall<\/del><ins>kitchen<\/ins>\)/s,
  );
  assert.match(page, /dir="auto">האור <del>כבוי<\/del><ins>דולק<\/ins> עכשיו</);
  assert.match(page, /&lt;img src=<del>x<\/del><ins>y<\/ins>/);
  assert.match(page, />Sure! I will turn it on\.</, "what has little in common is not marked");
  assert.doesNotMatch(page, /<script>|<img/);
  assert.match(page, /… \d[\d,]+ more characters: see the download/);
  assert.ok(page.length < 150_000, `${page.length} characters`);
});

Deno.test("a row has its whole conversation, folded, with tools, calls and reasoning", async () => {
  await using s = await site();
  const dir = await addAnswered(s, ID);
  const shown = async () =>
    (await s.text(`/runs/${ID}?change=fixed`)).match(/<details class="conversation">.*?<\/ol>.*?<\/ul>/s)?.[0]
      .replaceAll(/<[^>]+>/g, " ").replaceAll(/\s+/g, " ");
  const words = [
    "7 turns, 1 tool",
    "system You control a home.",
    "reasoning I have to look them up.",
    "calls rooms c1",
    "&quot;floor&quot;: 1",
    "tool answers call c1",
    "assistant not trained Hall and kitchen.",
    "rooms Lists the rooms",
  ];
  const conversation = await shown() ?? "";
  for (const part of words) assert.ok(conversation.includes(part), `${part}: ${conversation}`);
  // Of hosted jobs, and before a job is prepared, format's own.
  await Deno.mkdir(join(dir, "steps/2-format"), { recursive: true });
  await Deno.rename(join(dir, "job/eval.jsonl"), join(dir, "steps/2-format/eval.jsonl"));
  assert.equal(await shown(), conversation);
  await Deno.remove(join(dir, "steps/2-format/eval.jsonl"));
  const page = await s.text(`/runs/${ID}?change=fixed`);
  assert.match(page, /whole prompt<\/summary>.*&lt;\|user\|&gt;turn on the hall light/s);
  await s.write(`${ID}/job/eval.jsonl`, `{"origin":"${originOf(0)}","messages":3}\n`);
  assert.match(await s.text(`/runs/${ID}?change=fixed`), /Cannot read the conversation at .*eval\.jsonl:1/);
});

Deno.test("downloads hold the exact values of the rows that the filter leaves", async () => {
  await using s = await site();
  await addAnswered(s, ID);
  const csv = await s.get(`/runs/${ID}/answers.csv`);
  assert.match(csv.headers.get("content-type")!, /^text\/csv/);
  assert.match(
    csv.headers.get("content-disposition")!,
    new RegExp(`^attachment; filename="${ID}-answers\\.csv"`),
  );
  const text = await csv.text();
  const table = parse(text, { columns: true, record_delimiter: "\r\n" }) as Record<string, string>[];
  const lines = await jsonLines(s);
  assert.equal(table.length, ODD_ROWS.length);
  for (const [i, { question, expected, before = null, after = null }] of ODD_ROWS.entries()) {
    assert.deepEqual(
      [lines[i]!.question, lines[i]!.expected, lines[i]!.before, lines[i]!.after],
      [question, expected, before, after],
    );
    // UTF-8 has no half characters.
    const exact = [question, expected.toWellFormed(), before ?? "", after ?? ""];
    assert.deepEqual(["question", "expected", "before", "after"].map((name) => table[i]![name]), exact);
    assert.equal(table[i]!.after_ok, after === null ? "" : String(after === expected));
  }
  assert.ok(text.includes(',"<b>\n2",'), "a line break within a cell");
  assert.match(text, /,,,/, "no answer");
  assert.match(text, /,"",/, "an empty answer");
  assert.equal(lines[1]!.served, "light.off(kitchen)");
  assert.equal(lines[1]!.served_same, false);
  assert.equal(lines[0]!.change, "fixed");
});

Deno.test("ten thousand rows come fifty a page, and all in one download", async () => {
  await using s = await site();
  const rows = Array.from({ length: 10_000 }, (_, i) => ({
    question: `row ${i}`,
    expected: "yes",
    before: "no",
    after: i % 3 === 0 ? "no" : "yes",
  }));
  await addAnswered(s, ID, rows);
  const page = await s.text(`/runs/${ID}?rows=200`);
  assert.deepEqual(await rowsOf(s, "?rows=200"), Array.from({ length: 50 }, (_, i) => 9_951 + i));
  assert.match(page, /Page 200 of 200/);
  assert.match(page, /rel="prev" href="[^"]*\?rows=199#answers"/);
  assert.doesNotMatch(page, /rel="next"/);
  assert.match(page, /still wrong <b>3,334/);
  assert.deepEqual((await rowsOf(s, "?change=still_wrong&rows=67")).length, 34);
  assert.match(await s.text(`/runs/${ID}?rows=201`), /Page 201 of 200.*|No rows/s);
  const { body } = await s.get(`/runs/${ID}/answers.csv?change=still_wrong`);
  let [pieces, bytes] = [0, 0];
  for await (const piece of body!) {
    pieces++;
    bytes += piece.length;
  }
  assert.ok(pieces > 5 && bytes > 100_000, `${bytes} bytes in ${pieces} pieces`);
  assert.equal((await s.text(`/runs/${ID}/answers.csv`)).split("\r\n").length, 10_002);
});

Deno.test("answers of a hosted job, of an unscored base and of a model that was not served are shown too", async () => {
  await using s = await site();
  const dir = await addAnswered(s, ID, [{ question: "a", expected: "b", after: "b" }]);
  await Deno.remove(join(dir, "steps"), { recursive: true });
  await Deno.rename(join(dir, "job/artifacts/predictions.jsonl"), join(dir, "job/predictions.jsonl"));
  const page = await s.text(`/runs/${ID}`);
  assert.deepEqual(await rowsOf(s, ""), [1]);
  assert.match(page, />right <b>1<\/b>.*>wrong <b>0<\/b>/s);
  assert.doesNotMatch(page, /newly broken <b>|served differently/);
});

Deno.test("what cannot be downloaded is an error, and asking for the headers opens no file", async () => {
  let open = 0;
  const fs: Fs = {
    ...denoFs,
    async openRead(path) {
      const file = await denoFs.openRead(path);
      open++;
      return {
        ...file,
        readAt: (position, buffer) => file.readAt(position, buffer),
        stat: () => file.stat(),
        close() {
          open--;
          file.close();
        },
      };
    },
  };
  await using s = await site({}, fs);
  const dir = await addAnswered(s, ID);
  await s.write(`${ID}/job/trainer.log`, "one\ntwo");
  for (const name of ["answers.csv", "answers.jsonl", "events.jsonl", "trainer.log"]) {
    const path = `/runs/${ID}/${name}`;
    const { status } = await s.app.request(path, { method: "HEAD", headers: { host: "localhost" } });
    assert.deepEqual([status, open], [200, 0], name);
    assert.equal((await s.get(`/runs/none/${name}`)).status, 404);
    await s.text(path);
    assert.equal(open, 0, name);
  }
  assert.equal(await s.text(`/runs/${ID}/trainer.log`), "one\ntwo");
  assert.equal(await s.text(`/runs/${ID}/events.jsonl`), await Deno.readTextFile(join(dir, "events.jsonl")));
  await s.write(`${ID}/steps/5-monitor/served.jsonl`, '{"served":"a","same":true}\n');
  assert.match(await s.text(`/runs/${ID}`), /Cannot read the served answers at .*: only 1 rows/);
  await s.write(`${ID}/job/artifacts/predictions.jsonl`, "[]\n");
  assert.equal((await s.get(`/runs/${ID}/answers.csv`)).status, 422);
  await Deno.remove(join(dir, "job"), { recursive: true });
  assert.equal((await s.get(`/runs/${ID}/answers.csv`)).status, 404);
  assert.equal((await s.get(`/runs/${ID}/trainer.log`)).status, 404);
});

const REFUSED = { code: "data-checks", message: "Cannot use the dataset: 1 <row>", hint: "Fix the rows" };
const failedIn = (kind: string, attempt: number): NewEvent[] => [
  STARTED,
  { type: "step.started", step: kind, key: "2".repeat(64), attempt },
  { type: "step.failed", step: kind, attempt, error: REFUSED },
  { type: "run.failed", error: REFUSED },
];

Deno.test("a run that its data stopped shows the report of the attempt, with every finding and its row", async () => {
  await using s = await site();
  await s.addRun(ID, failedIn("format", 2));
  const finding = (n: number) => ({ origin: `a.csv:${n}`, field: "user", problem: "is empty", excerpt: "" });
  const checks = {
    duplicates: REPORT.checks.duplicates,
    empty: { severity: "error", count: 30, findings: Array.from({ length: 20 }, (_, i) => finding(i + 1)) },
  };
  await s.write(`${ID}/attempts/format/1/report.json`, "of an earlier attempt");
  await s.write(`${ID}/attempts/format/2/report.json`, JSON.stringify({ ...REPORT, checks }));
  const page = await s.text(`/runs/${ID}`);
  const data = page.slice(page.indexOf('id="data"'), page.indexOf('id="log"'));
  assert.match(
    data,
    /empty, the first 20 of 30.*<span class="level error">error<\/span>.*a\.csv:1<.*a\.csv:20</s,
  );
  assert.match(data, /duplicates, the first 1 of 41.*warn.*is &lt;the&gt; same/s);
  assert.ok(data.indexOf("a.csv:20<") < data.indexOf("duplicates, the first"), "errors come first");
  assert.equal((await s.get(`/api/runs/${ID}/report`)).status, 200);
});

Deno.test("a run that its data stopped without a report, or with another step's, says why in Data", async () => {
  await using s = await site();
  await s.addRun(ID, failedIn("extract", 1));
  const data = async (id: string) => {
    const page = await s.text(`/runs/${id}`);
    return page.slice(page.indexOf('id="data"'), page.indexOf('id="log"'));
  };
  assert.match(
    await data(ID),
    /The run stopped in extract:.*Cannot use the dataset: 1 &lt;row&gt;\nFix the rows/s,
  );
  await s.addRun("too-long", failedIn("configure", 1));
  await s.write("too-long/steps/2-format/report.json", JSON.stringify(REPORT));
  assert.match(
    await data("too-long"),
    /The run stopped in configure:.*Cannot use the dataset.*<h3>Checks<\/h3>/s,
  );
  await s.addRun("other", DONE);
  assert.doesNotMatch(await s.text("/runs/other"), /id="data"/);
});
