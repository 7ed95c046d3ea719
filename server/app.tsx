/** @jsxRuntime automatic @jsxImportSource npm:hono@4.13.19/jsx */
import { type Context, Hono, secureHeaders } from "../src/deps/hono.ts";
import { TemperError } from "../src/lib/errors.ts";
import { errorBody } from "./access/error_body.ts";
import { guard, type GuardOptions } from "./access/guard.ts";
import { answerQuery } from "./answers/answer_query.ts";
import { createApi, found, noRun } from "./api/api.ts";
import { compareRuns } from "./compare_runs.ts";
import { addDownloads } from "./files/downloads.ts";
import { lenientQuery } from "./query.ts";
import {
  answersOf,
  conversationsFor,
  madeWith,
  modelfileText,
  pipelineText,
  reportOf,
  trainerLog,
} from "./run_files.ts";
import { reason } from "./run_index.ts";
import { commandLine, INSTALLED } from "../src/lib/text/invocation.ts";
import type { Sources } from "./run_sources.ts";
import { asset } from "./static.ts";
import { logCharts } from "./views/charts/chart_frame.tsx";
import { COMPARED_SERIES } from "./views/charts/compare_charts.tsx";
import { CompareView } from "./views/compare.tsx";
import { ErrorPage } from "./views/layout.tsx";
import { ListView } from "./views/list/list.tsx";
import { RunPage } from "./views/run/run.tsx";

const NOT_FOUND = ["unknown-run", "not-there"];

/** The whole server as a function from request to answer. It only reads. */
export function createApp(sources: Sources, options: GuardOptions): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    // Hono answers a HEAD as a GET and drops the body: what would have made it has to hear that nobody reads it.
    if (c.req.method === "HEAD") await c.res.body?.cancel();
  });
  app.use(secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
    // Nothing to other hosts. "no-referrer" would also take the origin from the page's own forms.
    referrerPolicy: "same-origin",
    xFrameOptions: "DENY",
    // Nothing here is served over TLS: whoever puts a proxy before it says so there.
    strictTransportSecurity: false,
  }));
  app.use(async (c, next) => {
    await next();
    if (!c.res.headers.has("Cache-Control")) c.header("Cache-Control", "no-store");
  });
  app.use(guard(options, sources.clock));
  app.get("/static/:version/:name{.+}", (c) => {
    const found = asset(c.req.param("version"), c.req.param("name"));
    if (!found) return c.notFound();
    return c.body(found.body, 200, {
      "Content-Type": found.type,
      "Cache-Control": "public, max-age=31536000, immutable",
    });
  });
  pages(app, sources);
  addDownloads(app, sources);
  app.route("/", createApi(sources));
  app.notFound((c) => failure(c, new TemperError("not-found", `Cannot find "${c.req.path}": no such page`)));
  app.onError((error, c) => failure(c, error));
  return app;
}

function pages(app: Hono, sources: Sources): void {
  const { fs, clock, index, where } = sources;
  app.get("/", async (c) => {
    const query = lenientQuery({ ...c.req.query(), hide: (c.req.queries("hide") ?? []).join() });
    const all = await index.rows();
    const now = clock.now();
    const start = commandLine(where.invocation ?? INSTALLED, "run", "pipelines/lora.yaml");
    return c.html(<ListView query={query} all={all} folder={where.runs} start={start} now={now} />);
  });
  app.get("/compare", async (c) => {
    const chosen = c.req.queries("run") ?? [];
    const runs = await compareRuns(sources, chosen);
    const ids = runs.map(({ row }) => row.id);
    const baseline = ids.find((id) => id === c.req.query("baseline")) ??
      (ids.length > 1 ? ids[0] : undefined);
    const log = logCharts(c.req.queries("log"), COMPARED_SERIES);
    const asked = new Set(chosen).size;
    return c.html(
      <CompareView runs={runs} chosen={asked} baseline={baseline} log={log} now={clock.now()} />,
    );
  });
  app.get("/runs/:id", async (c) => {
    const view = await found(sources, c.req.param("id"));
    const { dir, state } = view;
    const query = answerQuery((name) => c.req.query(name));
    const [charts, answers, report, pipeline, made, modelfile, trainer] = await Promise.all([
      sources.charts.view(dir).then((value) => ({ value }), (error) => ({ problem: reason(error) })),
      answersOf(fs, dir, state, query),
      reportOf(fs, dir, state),
      pipelineText(fs, dir),
      madeWith(fs, dir, state),
      modelfileText(fs, dir, state),
      trainerLog(fs, dir),
    ]);
    const conversations = await conversationsFor(fs, dir, state, answers);
    const parts = { charts, answers, conversations, query, report, pipeline, made, modelfile, trainer };
    const log = logCharts(c.req.queries("log"));
    return c.html(<RunPage view={view} {...parts} log={log} now={clock.now()} />);
  });
  app.get("/runs/:id/events", async (c) => {
    const id = c.req.param("id");
    const dir = await index.find(id);
    if (dir === undefined || !await fs.stat(`${dir}/events.jsonl`)) throw noRun(id);
    const from = Number(c.req.header("Last-Event-ID") ?? c.req.query("from") ?? 0);
    const stream = await sources.feeds.open(dir, Number.isSafeInteger(from) && from > 0 ? from : 0);
    return c.body(stream, 200, { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" });
  });
}

/** An error in the form of the part it happened in: JSON below /api, a page elsewhere. */
function failure(c: Context, error: Error): Response | Promise<Response> {
  const { code, message, hint } = error instanceof TemperError
    ? error
    : { code: "unreadable", message: reason(error), hint: undefined };
  const status = code === "not-found" || NOT_FOUND.includes(code) ? 404 : code === "busy" ? 503 : 422;
  if (c.req.path.startsWith("/api/")) return c.json(errorBody(code, message, hint), status);
  const title = status === 404 ? "Not found" : "This page cannot be shown";
  const page = <ErrorPage title={title} message={message} {...hint === undefined ? {} : { hint }} />;
  return c.html(page, status);
}
