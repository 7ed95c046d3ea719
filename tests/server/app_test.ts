import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs } from "../../src/lib/files/fs.ts";
import type { NewEvent } from "../../src/log/events.ts";
import { addEveryRun } from "./every_run.ts";
import { BEGINNING, DONE, metric, site, STARTED, training } from "./kit.ts";

const FAILED: readonly NewEvent[] = [
  STARTED,
  { type: "step.started", step: "extract", key: "1", attempt: 1 },
  {
    type: "step.failed",
    step: "extract",
    attempt: 1,
    error: { code: "bad-data", message: "Cannot read row <3>", hint: 'Fix "it"' },
  },
  { type: "run.failed", error: { code: "bad-data", message: "Cannot read row <3>", hint: 'Fix "it"' } },
];

Deno.test("/ lists the runs newest first, filtered and sorted by the address", async () => {
  await using s = await site();
  await s.addRun("20261122-080000-home-lora-aaaa", DONE);
  await s.addRun(
    "20261122-090000-other-bbbb",
    FAILED.map((e) => e === STARTED ? { ...STARTED, name: "other" } : e),
  );
  await s.addRun("20261122-100000-home-lora-cccc", [...BEGINNING, ...training(3)]);
  await s.write("not-a-run/notes.txt", "x");
  const ids = async (path: string) =>
    [...(await s.text(path)).matchAll(/name="run" value="([^"]+)"/g)].map(([, id]) => id!.slice(-4));
  assert.deepEqual((await ids("/")).sort(), ["aaaa", "bbbb", "cccc"]);
  assert.deepEqual(await ids("/?state=failed"), ["bbbb"]);
  assert.deepEqual(await ids("/?state=interrupted"), ["cccc"]);
  assert.deepEqual((await ids("/?q=HOME")).sort(), ["aaaa", "cccc"]);
  assert.deepEqual((await ids("/?sort=-score"))[0], "aaaa");
  assert.deepEqual(await ids("/?per_page=1&page=2&sort=name"), ["aaaa"]);
  // What is wrong in an address counts as absent.
  assert.equal((await ids("/?state=nonsense&page=-1&sort=x&per_page=0")).length, 3);
  const page = await s.text("/");
  assert.match(page, /93\.3%/);
  assert.match(page, /3 runs in runs/);
});

Deno.test("commands in an error that was written down are said as temper is called here", async () => {
  await using s = await site();
  const id = "20261122-080000-home-lora-aaaa";
  const error = { code: "job-failed", message: "Cannot finish", hint: `More: \`temper logs ${id}\`` };
  await s.addRun(id, [STARTED, { type: "run.failed", error }]);
  for (const path of [`/runs/${id}`, `/compare?run=${id}`]) {
    const page = await s.text(path);
    assert.ok(page.includes(`More: deno task logs ${id}`), path);
    assert.ok(!page.includes("temper logs"), path);
  }
});

Deno.test("/runs/:id resumes a run by its id, which keeps its overrides, unless a secret in them is not kept", async () => {
  await using s = await site();
  const id = "20261122-080000-home-lora-aaaa";
  await s.addRun(id, BEGINNING);
  const next = async (plan: object) => {
    await s.write(`${id}/plan.json`, JSON.stringify(plan));
    return (await s.text(`/runs/${id}`)).match(/Resume it<\/dt><dd><code[^>]*>(.*?)<\/code>/)?.[1];
  };
  assert.equal(await next({}), `deno task resume ${id}`);
  const given = { cell: "rank-8", set: ["train.epochs=2"] };
  assert.equal(await next(given), `deno task resume ${id}`);
  assert.equal(
    await next({ ...given, setMasked: true }),
    "repeat the command that started it: a secret in its --set values is not kept",
  );
});

Deno.test("/runs/:id names the fields of the rows that nothing uses, also of an earlier version's report", async () => {
  await using s = await site();
  using _runs = await addEveryRun(s);
  const cells = async () =>
    [...(await s.text("/runs/full")).matchAll(
      /<tr><th scope="row" class="place">([^<]+)<\/th><td class="n">(\d+)<\/td><td class="n">(\d+)<\/td><td>([^<]*)/g,
    )]
      .map(([, ...found]) => found.join(" | "));
  assert.deepEqual(await cells(), [
    "messages[].name | 4 | 3 | not used by this format",
    "note | 3 | 3 | of old rows",
  ]);
  const path = join(s.runsDir, "full/steps/2-format/report.json");
  const { unused: _unused, moreUnused: _more, ...old } = JSON.parse(await Deno.readTextFile(path));
  await s.write("full/steps/2-format/report.json", JSON.stringify({ ...old, ignored: { room: 2 } }));
  assert.deepEqual(await cells(), ["room | 2 | 2 | not used by this format"]);
});

Deno.test("/runs/:id shows steps, scores, artifacts, what to do, and the files of the run", async () => {
  await using s = await site();
  const id = "20261122-080000-home-lora-aaaa";
  await s.addRun(id, DONE);
  await s.write(`${id}/pipeline.yaml`, "name: home # why <b>\nlist: [1, 'two']\n");
  await s.write(`${id}/job/artifacts/Modelfile`, "FROM ./model.gguf\n# <script>\n");
  await s.write(`${id}/job/metrics.jsonl`, [1, 2, 3].map((step) => metric(step, 4 / step)).join(""));
  await s.write(`${id}/job/trainer.log`, "\x1b[31mred</pre><script>\n");
  const page = await s.text(`/runs/${id}`);
  for (const kind of ["extract", "format", "configure", "submit", "monitor"]) {
    assert.match(page, new RegExp(`<b>${kind}</b>`));
  }
  assert.match(page, /made by <a href="\/runs\/20261121-120000-home-lora-aaaa">/);
  assert.match(
    page,
    /deno task register 20261122-080000-home-lora-aaaa/,
  );
  assert.match(page, /aaaaaaaaaaaaaaaaaaaaaaaa/);
  assert.match(page, /<span class="y-key">name<\/span>/);
  assert.match(page, /# why &lt;b&gt;/);
  assert.match(page, /<path class="s0" d="M/);
  assert.ok(!page.includes("<script>"), "what files hold is escaped");
  assert.doesNotMatch(page, /\sstyle=/);
});

Deno.test("/runs/:id tells running, stalled, interrupted and failed apart, and says what to do", async () => {
  await using s = await site();
  const live = await s.addRun("20261122-080000-home-lora-aaaa", [...BEGINNING, ...training(3)]);
  assert.match(
    await s.text("/runs/20261122-080000-home-lora-aaaa"),
    /Interrupted in monitor: no process drives/,
  );
  const runner = await denoFs.lock(join(live, "lock"));
  assert.match(await s.text("/runs/20261122-080000-home-lora-aaaa"), /Stalled: silent for /);
  await s.write("20261122-080000-home-lora-aaaa/job/metrics.jsonl", metric(1, 1));
  assert.doesNotMatch(await s.text("/runs/20261122-080000-home-lora-aaaa"), /Stalled/);
  const trainer = await denoFs.lock(join(live, "job", "lock"));
  runner!.release();
  assert.match(
    await s.text("/runs/20261122-080000-home-lora-aaaa"),
    /Training goes on without the command\. Run it again/,
  );
  trainer!.release();
  await s.addRun("20261122-090000-home-lora-bbbb", FAILED);
  const failed = await s.text("/runs/20261122-090000-home-lora-bbbb");
  assert.match(failed, /Cannot read row &lt;3&gt;<\/span>\nFix &quot;it&quot;/);
  assert.match(failed, /deno task run \/project\/pipelines\/lora\.yaml|deno task run pipelines\/lora\.yaml/);
});

Deno.test("an id that is not in the listing is not found, whatever it is", async () => {
  await using s = await site();
  await s.addRun("20261122-080000-home-lora-aaaa", DONE);
  const outside = await Deno.makeTempDir({ prefix: "temper-outside-" });
  await Deno.writeTextFile(join(outside, "events.jsonl"), "secret\n");
  const ids = ["..%2f..", encodeURIComponent(outside), "20261122", "a%00b", "%20", "x".repeat(5000)];
  for (const id of ids) {
    for (const path of [`/runs/${id}`, `/runs/${id}/events`, `/api/runs/${id}`, `/api/runs/${id}/files`]) {
      const response = await s.get(path);
      const text = await response.text();
      assert.ok([400, 404].includes(response.status), `${path}: ${response.status}`);
      assert.ok(!text.includes("secret"), path);
    }
  }
  await Deno.remove(outside, { recursive: true });
});

Deno.test("every answer carries the policy, and only reading is allowed", async () => {
  await using s = await site();
  for (const path of ["/", "/compare", "/nothing", "/api/runs", "/healthz", "/api/openapi.json"]) {
    const { headers } = await s.get(path);
    const policy = headers.get("content-security-policy")!;
    assert.match(policy, /default-src 'none'/);
    assert.equal(
      policy,
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      path,
    );
    assert.doesNotMatch(policy, /unsafe|https?:/);
    assert.equal(headers.get("x-content-type-options"), "nosniff", path);
  }
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
    const response = await s.app.request("/api/runs", { method, headers: { host: "localhost" } });
    assert.equal(response.status, 405, method);
  }
  assert.equal((await s.app.request("/", { method: "HEAD", headers: { host: "localhost" } })).status, 200);
});

Deno.test("a Host header of another name is refused (DNS rebinding)", async () => {
  await using local = await site();
  for (const host of ["localhost", "127.0.0.1:8377", "[::1]:8377", "LOCALHOST:1"]) {
    assert.equal((await local.get("/healthz", { host })).status, 200, host);
  }
  for (
    const host of [
      "evil.example",
      "localhost.evil.example",
      "10.0.0.1",
      "127.0.0.1.nip.io",
      "a b",
      "@localhost",
    ]
  ) {
    assert.equal((await local.get("/healthz", { host })).status, 421, host);
  }
  await using open = await site({ host: "0.0.0.0", token: "sixteen-letters!", names: ["box.lan"] });
  for (const [host, status] of [["10.0.0.7:8377", 200], ["box.lan", 200], ["evil.example", 421]] as const) {
    assert.equal((await open.get("/healthz", { host })).status, status, host);
  }
});

Deno.test("runs that are torn, malformed, empty or vanish do not hide the others", async () => {
  await using s = await site();
  await s.addRun("20261122-080000-home-lora-aaaa", DONE);
  const torn = await s.addRun("20261122-090000-torn-bbbb", [...BEGINNING]);
  await Deno.writeTextFile(join(torn, "events.jsonl"), '{"v":1,"seq":99,"t":"2026', { append: true });
  await s.write("20261122-100000-bad-cccc/events.jsonl", '{"v":1}\n<b>\n');
  await s.write("20261122-110000-empty-dddd/events.jsonl", "");
  await s.write("20261122-120000-binary-eeee/events.jsonl", "\0\xff\xfe\n");
  await Deno.mkdir(join(s.runsDir, "20261122-130000-folder-ffff", "events.jsonl"), { recursive: true });
  const rows = await (await s.get("/api/runs")).json() as {
    id: string;
    state: string;
    error: string | null;
  }[];
  const states = Object.fromEntries(rows.map(({ id, state }) => [id.slice(-4), state]));
  assert.deepEqual(states, { aaaa: "done", bbbb: "interrupted", cccc: "unreadable", eeee: "unreadable" });
  assert.match(rows.find(({ id }) => id.endsWith("cccc"))!.error!, /events\.jsonl" at line 1, byte 0/);
  const bad = await s.get("/runs/20261122-100000-bad-cccc");
  assert.equal(bad.status, 422);
  assert.match(await bad.text(), /at line 1, byte 0/);
  assert.equal((await s.get("/runs/20261122-090000-torn-bbbb")).status, 200);
  assert.equal((await s.get("/runs/20261122-110000-empty-dddd")).status, 404);
  await Deno.remove(torn, { recursive: true });
  assert.equal((await s.get("/runs/20261122-090000-torn-bbbb")).status, 404);
  assert.ok(!(await s.text("/")).includes("torn-bbbb"));
  assert.equal((await s.get("/")).status, 200);
});

Deno.test("a part that cannot be read is told in its place", async () => {
  await using s = await site();
  const id = "20261122-080000-home-lora-aaaa";
  await s.addRun(id, DONE);
  await s.write(`${id}/steps/2-format/report.json`, "{}");
  await s.write(`${id}/job/artifacts/predictions.jsonl`, "[]\n");
  await s.write(`${id}/job/metrics.jsonl`, `${metric(1, 1)}garbage "train"\n${metric(2, 1)}`);
  await s.write(`${id}/plan.json`, "{");
  const page = await s.text(`/runs/${id}`);
  assert.match(page, /Cannot read report\.json/);
  assert.match(page, /Cannot read predictions/);
  assert.match(page, /1 line of the metrics could not be read/);
  assert.equal((await s.get(`/api/runs/${id}/report`)).status, 422);
});

Deno.test("/compare puts the chosen runs beside each other, and leaves out what is not there", async () => {
  await using s = await site();
  for (const end of ["aaaa", "bbbb"]) {
    const id = `20261122-080000-home-lora-${end}`;
    await s.addRun(id, DONE);
    await s.write(`${id}/job/metrics.jsonl`, [1, 2, 3].map((step) => metric(step, 4 / step)).join(""));
  }
  const page = await s.text(
    "/compare?run=20261122-080000-home-lora-aaaa&run=20261122-080000-home-lora-bbbb&run=../x",
  );
  assert.match(page, /2 of up to 50 runs/);
  assert.match(page, /<path class="s0 pinned" d="M.*<path class="s1" d="M/s);
  assert.match(page, /data-label="home-lora aaaa".*data-label="home-lora bbbb"/);
  // The same as in the file that compares a matrix.
  assert.match(
    page,
    /<h2>At a glance<\/h2>.*<h2>Measured<\/h2>.*<h2>Relative to 20261122-080000-home-lora-aaaa<\/h2>/s,
  );
  assert.match(await s.text("/compare"), /Select up to 50 runs in/);
});

Deno.test("a loss is the smoothed one of the training until the held-out rows have the last word", async () => {
  await using s = await site();
  const [done, going, hosted] = ["aaaa", "bbbb", "cccc"].map((end) => `20261122-080000-home-lora-${end}`);
  await s.addRun(done!, DONE);
  await s.addRun(going!, [...BEGINNING, ...training(10)]);
  await s.addRun(hosted!, [...BEGINNING, {
    ...training(1).at(-1)!,
    metrics: { loss: 3.5 },
  } as NewEvent]);
  const cells = async (path: string) => {
    const page = (await s.text(path)).replaceAll(/<[^>]+>/g, " ").replaceAll(/\s+/g, " ");
    return [/4\.10 → 0\.0987/, /0\.400 training, smoothed/, /3\.50 training /].map((cell) => cell.test(page));
  };
  assert.deepEqual(await cells("/"), [true, true, true]);
  assert.deepEqual(await cells(`/compare?run=${done}&run=${going}&run=${hosted}`), [true, true, true]);
  assert.match(await s.text(`/runs/${going}`), /train 10\/44 steps, smoothed loss 0\.400/);
  assert.match(await s.text(`/runs/${done}`), /<dt>held-out loss<\/dt><dd>4\.10 → 0\.0987<\/dd>/);
  const losses = Object.fromEntries(
    (JSON.parse(await s.text("/api/runs")) as Record<string, unknown>[]).map((row) => [
      row.id,
      [row.loss, row.smoothed, row.loss_before, row.loss_after],
    ]),
  );
  assert.deepEqual(losses, {
    [done!]: [4 / 44, true, 4.1, 0.0987],
    [going!]: [0.4, true, null, null],
    [hosted!]: [3.5, false, null, null],
  });
});

Deno.test("the charts of a run of an earlier trainer have the mean that is computed now", async () => {
  await using s = await site();
  const id = "20261122-080000-home-lora-aaaa";
  await s.addRun(id, DONE);
  const line = (step: number, loss: number, smoothed: number) =>
    `${JSON.stringify({ type: "train", step, loss, smoothed })}\n`;
  await s.write(`${id}/job/metrics.jsonl`, line(1, 4, 4) + line(2, 1, 3.7));
  const { charts } = await s.json(`/api/runs/${id}/metrics`) as {
    charts: { loss: { steps: number[]; series: { smoothed: (number | null)[] } } };
  };
  const { steps, series } = charts.loss;
  assert.deepEqual(steps, [0, 1, 2], "the evaluation before training is at step 0");
  assert.deepEqual(series.smoothed.map((mean) => mean?.toFixed(6)), [undefined, "4.000000", "2.421053"]);
});
