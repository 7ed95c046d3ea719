import assert from "../deps/assert.ts";
import { dirname, join, sep } from "../../src/deps/path.ts";
import { containedFs } from "../../server/contained_fs.ts";
import { createSources } from "../../server/run_sources.ts";
import { createApp } from "../../server/app.tsx";
import { systemClock } from "../../src/lib/clock.ts";
import { denoFs, type ReadFs } from "../../src/lib/files/fs.ts";
import { logText, recorded } from "../ui/recorded.ts";
import { addParts } from "./every_run.ts";
import { BEGINNING, messages, training } from "./kit.ts";
import { serve } from "./serve.ts";

const ID = "linked";
const SECRET = "root:$6$hidden";
const EVENTS = [...BEGINNING, ...training(3)];
const PAGES = [
  "/",
  "/compare?run=linked",
  "/runs/linked",
  "/api/runs",
  "/api/runs/linked",
  "/api/runs/linked/metrics",
  "/api/runs/linked/predictions",
  "/api/runs/linked/report",
  "/api/runs/linked/files",
  "/api/runs/linked/log",
  "/api/compare?run=linked",
  "/runs/linked/answers.csv",
  "/runs/linked/events.jsonl",
  "/runs/linked/trainer.log",
];

interface Site extends AsyncDisposable {
  readonly root: string;
  readonly runs: string;
  readonly outside: string;
  /** Ends whoever drives the run; its trainer works on. */
  interrupt(): void;
}

/** A run with every part a page can show, each of which says the secret, and a folder beside the runs. */
async function fullRun(): Promise<Site> {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "temper-links-" }));
  const [runs, outside] = [join(root, "runs"), join(root, "outside")];
  await Deno.mkdir(outside);
  const write = async (path: string, text: string) => {
    await Deno.mkdir(dirname(join(runs, path)), { recursive: true });
    await Deno.writeTextFile(join(runs, path), text);
  };
  const named = EVENTS.map((event) =>
    event.type === "run.started" ? { ...event, run: ID, name: SECRET } : event
  );
  await write(`${ID}/events.jsonl`, logText(recorded(named)));
  await addParts({ write }, ID);
  await write(`${ID}/lock`, "");
  await write(`${ID}/job/lock`, "");
  await write(`${ID}/plan.json`, JSON.stringify({ cell: SECRET }));
  await write(`${ID}/tags.json`, JSON.stringify({ version: 1, tags: [], note: SECRET }));
  await write(".tagged", `${ID}\n`);
  await write(`${ID}/pipeline.yaml`, `name: ${SECRET}\n`);
  await write(`${ID}/steps/3-configure/Modelfile`, `# planned ${SECRET}\n`);
  for (const name of ["job/artifacts/Modelfile", "job/trainer.log"]) {
    await write(`${ID}/${name}`, `${SECRET}\n`);
  }
  for (
    const name of [
      "steps/2-format/report.json",
      "steps/5-monitor/served.jsonl",
      "job/artifacts/predictions.jsonl",
      "job/eval.jsonl",
    ]
  ) {
    const path = join(runs, ID, name);
    const text = await Deno.readTextFile(path);
    const told = text.replaceAll("eval.jsonl:1", SECRET).replaceAll("a.jsonl", SECRET);
    await Deno.writeTextFile(path, told.replaceAll('"served":"b"', `"served":"${SECRET}"`));
  }
  // Somebody drives the run and a trainer works: what the server says of locks shows on its pages.
  const [driver, trainer] = [
    await denoFs.lock(join(runs, ID, "lock")),
    await denoFs.lock(join(runs, ID, "job/lock")),
  ];
  let driven = true;
  const interrupt = () => {
    if (driven) driver?.release();
    driven = false;
  };
  return {
    root,
    runs,
    outside,
    interrupt,
    async [Symbol.asyncDispose]() {
      interrupt();
      trainer?.release();
      await Deno.remove(root, { recursive: true });
    },
  };
}

/** All that the server says about the run: each page's status and text, and what its stream begins with. */
async function everything(url: string): Promise<string[]> {
  const found = [];
  for (const path of PAGES) {
    const response = await fetch(new URL(path, url));
    // The time at which a page was written is another one each time.
    const text = (await response.text()).replace(/ data-now="[^"]*"/, "");
    found.push(`${path} ${response.status} ${text}`);
  }
  const events = await fetch(new URL(`/runs/${ID}/events`, url));
  if (events.status !== 200) return [...found, `${events.status} ${await events.text()}`];
  return [...found, JSON.stringify(await messages(events.body!, EVENTS.length))];
}

/** The files that the pages read, as paths in the run's folder. */
async function filesRead({ runs }: Site): Promise<string[]> {
  const read = new Set<string>();
  const note = (path: string) => {
    if (path.startsWith(join(runs, ID) + sep)) read.add(path.slice(join(runs, ID).length + 1));
    return path;
  };
  const noted: ReadFs = {
    ...denoFs,
    stat: (path) => denoFs.stat(note(path)),
    openRead: (path) => denoFs.openRead(note(path)),
    isLocked: (path) => denoFs.isLocked(note(path)),
  };
  const app = createApp(createSources(noted, systemClock, runs, { runs, cwd: "/" }), { host: "localhost" });
  for (const path of PAGES) {
    assert.equal((await app.request(path, { headers: { host: "localhost" } })).status, 200, path);
  }
  return [...read].sort();
}

/** A file and the folders it lies in, below the runs. */
function parents(file: string): string[] {
  const all = [];
  for (let path = join(ID, file); path !== "."; path = dirname(path)) all.push(path);
  return all;
}

Deno.test("what a link leads out of the runs' folder to is not there, for every file that is read and every folder of it", async (t) => {
  await using site = await fullRun();
  await using served = await serve(site.runs);
  const seen = new Set<string>();
  const everyPath = async () => {
    for (const path of new Set((await filesRead(site)).flatMap(parents))) {
      await t.step(path, async () => {
        const [inside, moved] = [join(site.runs, path), join(site.outside, "moved")];
        const shown = await everything(served.url);
        await Deno.rename(inside, moved);
        const absent = await everything(served.url);
        await Deno.symlink(moved, inside);
        const linked = await everything(served.url);
        await Deno.remove(inside);
        await Deno.rename(moved, inside);
        assert.deepEqual(linked, absent);
        if (absent.join() !== shown.join()) seen.add(path);
      });
    }
  };
  await everyPath();
  const read = await filesRead(site);
  // Now the pages say how to go on, and show what was planned instead of what was made.
  site.interrupt();
  await Deno.remove(join(site.runs, ID, "job/artifacts/Modelfile"));
  await everyPath();
  assert.deepEqual(new Set([...read, ...await filesRead(site)].flatMap(parents)).difference(seen), new Set());
  assert.ok(seen.size >= 17, [...seen].join());
});

Deno.test("links that stay in the runs' folder are followed, and so is the folder itself where it is one", async () => {
  await using site = await fullRun();
  const run = join(site.runs, ID);
  const link = join(site.outside, "link");
  await Deno.symlink(site.runs, link);
  await using served = await serve(link);
  const plain = await everything(served.url);
  assert.match(plain.join("\n"), /root:\$6\$hidden/);
  await Deno.rename(join(run, "steps"), join(site.runs, ".steps"));
  await Deno.symlink("../.steps", join(run, "steps"));
  await Deno.rename(join(run, "job", "trainer.log"), join(run, "log"));
  await Deno.symlink(join(link, ID, "log"), join(run, "job", "trainer.log"));
  assert.deepEqual(await everything(served.url), plain);
});

Deno.test("a link to a file of the system, a link loop, a pipe and a file behind a file are no file", async () => {
  await using site = await fullRun();
  await using served = await serve(site.runs);
  const pipeline = join(site.runs, ID, "pipeline.yaml");
  const text = async () =>
    (await (await fetch(new URL(`/api/runs/${ID}/files`, served.url))).json()).pipeline;
  assert.equal(await text(), `name: ${SECRET}\n`);
  for (
    const target of [
      "/etc/passwd",
      "../../../../../../../../etc/passwd",
      "pipeline.yaml",
      "lock/x",
      "/proc/self/environ",
    ]
  ) {
    await Deno.remove(pipeline);
    await Deno.symlink(target, pipeline);
    assert.equal(await text(), null, target);
  }
  await Deno.remove(pipeline);
  if (Deno.build.os === "windows") return;
  assert.ok((await new Deno.Command("mkfifo", { args: [pipeline] }).output()).success);
  assert.equal(await text(), null);
});

Deno.test("containedFs() gives out no file that was swapped for a link while it was opened", async () => {
  await using site = await fullRun();
  const path = join(site.runs, ID, "pipeline.yaml");
  const secret = join(site.outside, "secret");
  await Deno.writeTextFile(secret, "from outside");
  const swap = async () => {
    await Deno.remove(path);
    await Deno.symlink(secret, path);
  };
  const back = async () => {
    await Deno.remove(path);
    await Deno.writeTextFile(path, "from inside");
  };
  for (const moment of ["before", "around"]) {
    await back();
    const swapping: ReadFs = {
      ...denoFs,
      async openRead(path) {
        await swap();
        const file = await denoFs.openRead(path);
        if (moment === "around") await back();
        return file;
      },
    };
    const text = await containedFs(swapping, site.runs).readText(path).catch((error) => error.name);
    assert.equal(text, "NotFound", moment);
  }
  await back();
  assert.equal(await containedFs(denoFs, site.runs).readText(path), "from inside");
});

Deno.test("containedFs() reads a file that is renamed into place while it is opened", async () => {
  await using site = await fullRun();
  const path = join(site.runs, ID, "plan.json");
  let opened = 0;
  const replacing: ReadFs = {
    ...denoFs,
    async openRead(path) {
      if (opened++ === 0) await denoFs.writeAtomic(path, "new");
      return await denoFs.openRead(path);
    },
  };
  assert.equal(await containedFs(replacing, site.runs).readText(path), "new");
  assert.equal(opened, 2);
});

Deno.test("containedFs() reads the same bytes as the file system, from any place, and tells locks, names and changes", async () => {
  await using site = await fullRun();
  const fs = containedFs(denoFs, site.runs);
  const path = join(site.runs, ID, "job", "metrics.jsonl");
  const bytes = await Deno.readFile(path);
  assert.ok(bytes.length > 3 * 65_536);
  assert.deepEqual(await fs.readBytes(path), bytes);
  for (
    const [start, end] of [[0, 10], [5, 70_000], [bytes.length - 3, Infinity], [9, 9], [
      bytes.length,
      Infinity,
    ]] as const
  ) {
    const chunks = [];
    for await (const chunk of fs.readChunks(path, start, end)) chunks.push(...chunk);
    assert.deepEqual(new Uint8Array(chunks), bytes.slice(start, end), `${start}-${end}`);
    const streamed = new Uint8Array(await new Response(fs.readStream(path, start, end)).arrayBuffer());
    assert.deepEqual(streamed, bytes.slice(start, end), `${start}-${end}`);
  }
  assert.deepEqual(await fs.list(site.runs), [".tagged", ID]);
  assert.deepEqual(await fs.list(site.outside), []);
  assert.equal(await fs.stat(site.outside), undefined);
  const lock = join(site.runs, ID, "lock");
  assert.equal(await fs.isLocked(lock), true);
  assert.equal(await fs.isLocked(`${lock}.none`), false);
  const changed = Promise.withResolvers<void>();
  let told = 0;
  const stop = fs.watch(path, () => ++told > 1 ? changed.resolve() : void denoFs.writeAtomic(path, "x"));
  await changed.promise;
  stop();
});
