import { join } from "../../src/deps/path.ts";
import type { Context, Hono } from "../../src/deps/hono.ts";
import { TemperError } from "../../src/lib/errors.ts";
import { answerFiles, type AnswerRow, selectAnswers } from "../answers/answer_rows.ts";
import { answerQuery } from "../answers/answer_query.ts";
import { answerLines } from "../answers/answers_file.ts";
import { found } from "../api/api.ts";
import { metricLines } from "../metrics_csv.ts";
import type { Sources } from "../run_sources.ts";
import { TRAINER_LOG } from "./trainer_log.ts";

/** Texts as they lie in the run's folder, by the last part of their address. */
const FILES = { "events.jsonl": "events.jsonl", "trainer.log": TRAINER_LOG } as const;
const TYPES = { csv: "text/csv; charset=utf-8", jsonl: "application/x-ndjson" } as const;
/** Text that is gathered before it is sent. */
const CHUNK = 32_768;

/** Whole files, sent as they are read. */
export function addDownloads(app: Hono, sources: Sources): void {
  for (const format of ["csv", "jsonl"] as const) {
    app.get(`/runs/:id/answers.${format}`, async (c) => {
      const rows = await answersOf(c, sources);
      const lines = lineStream(answerLines(rows, format));
      return download(c, lines, TYPES[format], `answers.${format}`);
    });
  }
  app.get("/runs/:id/metrics.csv", async (c) => {
    const { dir } = await found(sources, c.req.param("id"));
    return download(c, lineStream(await metricLines(sources.fs, dir)), TYPES.csv, "metrics.csv");
  });
  for (const [name, path] of Object.entries(FILES)) {
    app.get(`/runs/:id/${name}`, async (c) => {
      const { dir } = await found(sources, c.req.param("id") ?? "");
      const file = await sources.fs.stat(join(dir, path));
      if (!file?.isFile) throw notThere(name);
      // As long as it is now: a run that goes on would be sent for ever.
      const bytes = lazily(sources.fs.readChunks(join(dir, path), 0, file.size));
      return download(c, bytes, "text/plain; charset=utf-8", name);
    });
  }
}

/** The answers that the address asks for. A file that cannot be read is an error before anything is sent. */
async function answersOf(c: Context, sources: Sources): Promise<AsyncIterable<AnswerRow>> {
  const { dir, state } = await found(sources, c.req.param("id") ?? "");
  const files = await answerFiles(sources.fs, dir, state);
  if (!files) throw notThere("answers");
  const first = selectAnswers(sources.fs, files, {});
  await first.next();
  await first.return(undefined);
  return selectAnswers(sources.fs, files, answerQuery((name) => c.req.query(name)));
}

function notThere(what: string): TemperError {
  return new TemperError("not-there", `Cannot send the ${what}: this run has none`);
}

function download(
  c: Context,
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  type: string,
  name: string,
): Response {
  const id = c.req.param("id") ?? "";
  const plain = downloadName(id, name);
  const exact = `${id}-${name}`;
  const more = plain === exact ? "" : `; filename*=UTF-8''${encodeURIComponent(exact)}`;
  return c.body(body, 200, {
    "Content-Type": type,
    "Content-Disposition": `attachment; filename="${plain}"${more}`,
  });
}

/** A name for a download that any system can save, whatever the folder of the run is called. */
export function downloadName(id: string, name: string): string {
  return `${id.replace(/[^\w.-]+/g, "_").replace(/^[.-]+/, "").slice(0, 120) || "run"}-${name}`;
}

function lineStream(lines: AsyncIterable<string>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  return lazily((async function* () {
    let text = "";
    for await (const line of lines) {
      text += line;
      if (text.length < CHUNK) continue;
      yield encoder.encode(text);
      text = "";
    }
    if (text !== "") yield encoder.encode(text);
  })());
}

/** Opens nothing until somebody reads, such as for a request of the headers alone. A chunk is the stream's own. */
function lazily(chunks: AsyncIterable<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reading = chunks[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await reading.next();
      if (done) controller.close();
      else controller.enqueue(value.slice());
    },
    cancel: async () => void await reading.return?.(undefined),
  }, { highWaterMark: 0 });
}
