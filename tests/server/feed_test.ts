import assert from "../deps/assert.ts";
import { join } from "../../src/deps/path.ts";
import { denoFs, type Fs } from "../../src/lib/files/fs.ts";
import { logText, recorded } from "../ui/recorded.ts";
import { until } from "../until.ts";
import { BEGINNING, DONE, messages, messagesOf, metric, type Site, site, training } from "./kit.ts";

const ID = "20261122-080000-home-lora-aaaa";
const EVENTS = `/runs/${ID}/events`;

function append(path: string, text: string): Promise<void> {
  return Deno.writeTextFile(path, text, { append: true });
}

Deno.test("events are sent with the byte behind them as id, and again from any id on", async () => {
  await using s = await site();
  const dir = await s.addRun(ID, DONE);
  const text = await Deno.readTextFile(join(dir, "events.jsonl"));
  const response = await s.get(EVENTS);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const all = await messages(response.body!, DONE.length);
  assert.equal(all.map(({ data }) => `${data}\n`).join(""), text);
  assert.equal(Number(all.at(-1)!.id), new TextEncoder().encode(text).length);
  for (const at of [0, 3, DONE.length - 2]) {
    const rest = await messages(
      (await s.get(EVENTS, { "last-event-id": all[at]!.id! })).body!,
      DONE.length - at - 1,
    );
    assert.deepEqual(rest, all.slice(at + 1), `from event ${at}`);
  }
  // A position where no line begins is not one of this log: it starts anew.
  for (const from of ["7", "999999999", "-1", "abc", "1e99", ""]) {
    const [first] = await messages((await s.get(EVENTS, { "last-event-id": from })).body!, 1);
    assert.deepEqual(first, all[0], from);
  }
});

Deno.test("events arrive as they are appended, a torn line when it is whole", async () => {
  await using s = await site();
  const dir = await s.addRun(ID, BEGINNING);
  const path = join(dir, "events.jsonl");
  const lines = logText(recorded([...BEGINNING, ...training(3)])).split("\n").slice(BEGINNING.length, -1);
  const from = String((await Deno.stat(path)).size);
  const { body } = await s.get(EVENTS, { "last-event-id": from });
  const received = messages(body!, lines.length);
  await append(path, lines[0]!.slice(0, 20));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await append(path, `${lines[0]!.slice(20)}\n`);
  await append(path, lines.slice(1).map((line) => `${line}\n`).join(""));
  assert.deepEqual((await received).map(({ data }) => data), lines);
});

/** The real file system, and what was done with it to follow files: watches open and opened, reads behind `from`. */
function countingFs(from: () => number) {
  const counts = { open: 0, opened: 0, reads: 0 };
  const fs: Fs = {
    ...denoFs,
    watch(path, onChange) {
      counts.open++;
      counts.opened++;
      const stop = denoFs.watch(path, onChange);
      return () => {
        counts.open--;
        stop();
      };
    },
    readStream(path, start = 0, end) {
      if (start >= from()) counts.reads++;
      return denoFs.readStream(path, start, end);
    },
  };
  return { fs, counts };
}

Deno.test("two hundred browsers share one tail, each gets every event once, and the tail ends with the last", async () => {
  let grown = Infinity;
  const { fs, counts } = countingFs(() => grown);
  await using s = await site({}, fs);
  const dir = await s.addRun(ID, BEGINNING);
  const path = join(dir, "events.jsonl");
  const before = await Deno.readTextFile(path);
  const fresh = logText(recorded([...BEGINNING, ...training(6)])).split("\n").slice(BEGINNING.length, -1);
  const expected = [...before.split("\n").slice(0, -1), ...fresh];
  const streams = await Promise.all(Array.from({ length: 200 }, () => s.get(EVENTS)));
  assert.deepEqual(s.sources.feeds.counts, { runs: 1, watchers: 200 });
  grown = before.length;
  const received = streams.map(({ body }) => messages(body!, expected.length));
  // Each in a write of its own: one that came twice would stand where the next is expected.
  for (const line of fresh) {
    await append(path, `${line}\n`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  for (const got of await Promise.all(received)) assert.deepEqual(got.map(({ data }) => data), expected);
  assert.ok(counts.opened <= 2, `${counts.opened} watches: one of the log, one of the numbers`);
  assert.ok(counts.reads <= 2 * fresh.length, `${counts.reads} reads of ${fresh.length} appends`);
  await until("the end of the watches", () => counts.open === 0, 10_000);
  assert.deepEqual(s.sources.feeds.counts, { runs: 0, watchers: 0 });
});

Deno.test("who asks only for the headers of the events watches nothing", async () => {
  await using s = await site();
  await s.addRun(ID, BEGINNING);
  const { status, headers } = await s.app.request(EVENTS, { method: "HEAD", headers: { host: "localhost" } });
  assert.deepEqual([status, headers.get("content-type")], [200, "text/event-stream"]);
  assert.deepEqual(s.sources.feeds.counts, { runs: 0, watchers: 0 });
});

Deno.test("a browser that has seen more of the log than the server has read since is sent nothing twice", async () => {
  let size: number | undefined;
  const fs: Fs = {
    ...denoFs,
    async stat(path) {
      const found = await denoFs.stat(path);
      return found && path.endsWith("events.jsonl") ? { ...found, size: size ?? found.size } : found;
    },
  };
  await using s = await site({}, fs);
  const path = join(await s.addRun(ID, BEGINNING), "events.jsonl");
  size = (await Deno.stat(path)).size;
  const held = await s.get(EVENTS);
  const [seen, fresh] = logText(recorded([...BEGINNING, ...training(2)])).split("\n").slice(BEGINNING.length);
  await append(path, `${seen}\n`);
  const ahead = { "last-event-id": String((await Deno.stat(path)).size) };
  const got = messages((await s.get(EVENTS, ahead)).body!, 1);
  size = undefined;
  await append(path, `${fresh}\n`);
  assert.deepEqual((await got).map(({ data }) => data), [fresh]);
  await held.body!.cancel();
});

Deno.test("numbers arrive with the bytes they stand in, none twice and none missing", async () => {
  const { fs, counts } = countingFs(() => Infinity);
  await using s = await site({}, fs);
  const dir = await s.addRun(ID, [...BEGINNING, ...training(1)]);
  await s.write(`${ID}/job/metrics.jsonl`, metric(1, 4) + metric(2, 3));
  const { end } = await s.json(`/api/runs/${ID}/metrics`);
  const stream = messagesOf((await s.get(EVENTS)).body!, "metrics");
  await until("the log and the numbers to be followed", () => counts.open === 2);
  const batches = [];
  for (const point of [metric(3, 2), metric(4, 1)]) {
    await append(join(dir, "job", "metrics.jsonl"), point);
    batches.push(JSON.parse((await stream.next()).value!.data));
  }
  await stream.return(undefined);
  assert.deepEqual(batches.map(({ points }) => points.map((p: { step: number }) => p.step)), [[3], [4]]);
  assert.equal(batches[0].from, end);
  assert.equal(batches[1].from, batches[0].to);
});

Deno.test("a browser is told when a run stops being driven, and when it is removed", async () => {
  await using s = await site();
  const dir = await s.addRun(ID, [...BEGINNING, ...training(1)]);
  const lock = (await denoFs.lock(join(dir, "lock")))!;
  await s.write(`${ID}/job/metrics.jsonl`, metric(1, 4));
  const [running] = await messages((await s.get(EVENTS)).body!, 1, "state");
  assert.deepEqual(JSON.parse(running!.data), {
    state: "running",
    activity: "running",
    stalled: false,
    training: false,
  });
  const states = messagesOf((await s.get(EVENTS)).body!, "state");
  await states.next();
  lock.release();
  assert.equal(JSON.parse((await states.next()).value!.data).state, "interrupted");
  await states.return(undefined);
  const gone = messages((await s.get(EVENTS)).body!, 1, "gone");
  await Deno.remove(dir, { recursive: true });
  assert.equal((await gone).length, 1);
});

Deno.test("a log that breaks while it is followed is told, and the server goes on", async () => {
  await using s = await site();
  const dir = await s.addRun(ID, BEGINNING);
  const problem = messages((await s.get(EVENTS)).body!, 1, "problem");
  await append(join(dir, "events.jsonl"), "no json\n");
  assert.match(JSON.parse((await problem)[0]!.data).message, /Cannot read ".*events\.jsonl"/);
  assert.equal((await s.get("/")).status, 200);
});

/** A log of `count` events that stand in a file of some megabytes. */
async function longLog(dir: string, count: number): Promise<string> {
  const text = logText(recorded([...BEGINNING, ...training(count)]));
  await Deno.writeTextFile(join(dir, "events.jsonl"), text);
  return text;
}

Deno.test("a log is read once for all that begin at the same byte, and anyone may begin anywhere", async () => {
  let bytes = 0;
  const fs: Fs = {
    ...denoFs,
    async openRead(path) {
      const file = await denoFs.openRead(path);
      return {
        ...file,
        stat: () => file.stat(),
        close: () => file.close(),
        async readAt(position, buffer) {
          const n = await file.readAt(position, buffer);
          if (path.endsWith("events.jsonl")) bytes += n;
          return n;
        },
      };
    },
  };
  await using s = await site({}, fs);
  const dir = await s.addRun(ID, BEGINNING);
  const text = await longLog(dir, 5000);
  const lines = text.split("\n").slice(0, -1);
  const held = await s.get(EVENTS);
  bytes = 0;
  const all = await Promise.all(Array.from({ length: 20 }, async () => {
    const { body } = await s.get(EVENTS);
    return await messages(body!, lines.length);
  }));
  for (const got of all) assert.deepEqual(got.map(({ data }) => data), lines);
  assert.ok(bytes < 3 * text.length, `${bytes} bytes of a log of ${text.length} were read for 20 browsers`);
  for (const at of [1, 777, lines.length - 2]) {
    const id = all[0]![at]!.id!;
    const rest = await messages((await s.get(EVENTS, { "last-event-id": id })).body!, lines.length - at - 1);
    assert.deepEqual(rest, all[0]!.slice(at + 1));
  }
  await held.body!.cancel();
});

Deno.test("a browser that takes nothing is not waited for: it connects again and has lost nothing", async () => {
  await using s = await site();
  const dir = await s.addRun(ID, BEGINNING);
  const path = join(dir, "events.jsonl");
  const from = { "last-event-id": String((await Deno.stat(path)).size) };
  const stuck = (await s.get(EVENTS, from)).body!.getReader();
  // It is sent how the run stands, and then takes nothing more.
  await stuck.read();
  const fresh = logText(recorded([...BEGINNING, ...training(8000)])).split("\n").slice(BEGINNING.length, -1);
  const { body } = await s.get(EVENTS, from);
  const brisk = messages(body!, fresh.length);
  await append(path, fresh.map((line) => `${line}\n`).join(""));
  const got = await brisk;
  assert.deepEqual(got.map(({ data }) => data), fresh);
  await until("the end of the stuck stream", () => s.sources.feeds.counts.watchers === 0, 10_000);
  let text = "";
  for (let part; !(part = await stuck.read()).done;) text += new TextDecoder().decode(part.value);
  assert.ok(text.length < 200_000, `${text.length} bytes were kept for it`);
  const last = [...text.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1] ?? from["last-event-id"];
  const behind = got.filter(({ id }) => Number(id) > Number(last));
  assert.ok(behind.length > 0, "it has not been sent everything");
  const again = await messages((await s.get(EVENTS, { "last-event-id": last })).body!, behind.length);
  assert.deepEqual(again, behind);
});

Deno.test("a browser that comes later is told how the run stands, and what went wrong before", async () => {
  await using s = await site();
  const dir = await s.addRun(ID, BEGINNING);
  const first = messagesOf((await s.get(EVENTS)).body!, "problem");
  const problem = first.next();
  await append(join(dir, "events.jsonl"), "no json\n");
  await problem;
  assert.match((await messages((await s.get(EVENTS)).body!, 1, "problem"))[0]!.data, /Cannot read/);
  assert.match((await messages((await s.get(EVENTS)).body!, 1, "state"))[0]!.data, /"state":"interrupted"/);
  await first.return(undefined);
});

Deno.test("events arrive in words too, as temper is called here", async () => {
  await using s = await site();
  const dir = await s.addRun(ID, BEGINNING);
  const from = String((await Deno.stat(join(dir, "events.jsonl"))).size);
  const stream = messagesOf((await s.get(EVENTS, { "last-event-id": from })).body!, "log");
  const message = "Cannot finish: see `temper logs last`";
  const events = recorded([...BEGINNING, { type: "run.failed", error: { code: "x", message } }]);
  await append(join(dir, "events.jsonl"), logText(events.slice(-1)));
  const entry = JSON.parse((await stream.next()).value!.data);
  await stream.return(undefined);
  assert.equal(entry.seq, events.length);
  assert.match(entry.text, /Cannot finish: see deno task logs last/);
  const { log } = await logOf(s);
  assert.deepEqual(log.at(-1), entry, "the same as on the page");
});

async function logOf(s: Site) {
  const { events, trainer } = await s.json(`/api/runs/${ID}/log`) as { events: unknown[]; trainer: string[] };
  return { log: events, trainer };
}

Deno.test("what the trainer prints arrives as finished lines, each once, with the bytes they stand in", async () => {
  await using s = await site();
  const dir = await s.addRun(ID, [...BEGINNING, ...training(1)]);
  const path = join(dir, "job", "trainer.log");
  await s.write(`${ID}/job/trainer.log`, "one\ntw");
  assert.deepEqual((await logOf(s)).trainer, ["one", "tw"]);
  assert.match(
    await s.text(`/runs/${ID}`),
    /id="trainer" data-end="4".*<span data-unfinished[^>]*>tw<\/span>/s,
  );
  const stream = messagesOf((await s.get(EVENTS)).body!, "trainer");
  const next = async () => JSON.parse((await stream.next()).value!.data);
  const first = next();
  await append(path, "o\n10%\r20%\rthr");
  assert.deepEqual(await first, { from: 4, to: 16, lines: ["two", "10%", "20%"], cut: false });
  await append(path, "ee\x1b[31m\n");
  const second = await next();
  assert.deepEqual([second.from, second.lines.length, second.cut], [16, 1, false]);
  assert.ok(second.lines[0].startsWith("three") && !second.lines[0].includes("\x1b"));
  // More than a page takes: the rest is in the file.
  await append(path, "x\n".repeat(50_000));
  const many = await next();
  assert.deepEqual([many.from, many.cut, many.lines.length], [second.to, true, 200]);
  // Another file under the same name.
  await Deno.writeTextFile(path, "anew\n");
  assert.deepEqual(await next(), { from: 0, to: 5, lines: ["anew"], cut: false });
  await stream.return(undefined);
});
