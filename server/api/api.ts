import { OpenAPIHono } from "../../src/deps/zod_openapi.ts";
import { TemperError } from "../../src/lib/errors.ts";
import { VERSION } from "../../src/lib/version.ts";
import { runJson } from "../../src/view/run_json.ts";
import { withHeldOut } from "../../src/view/held_out_points.ts";
import { type ComparedRun, compareRuns } from "../compare_runs.ts";
import { errorBody } from "../access/error_body.ts";
import { listPath, selectRows } from "../query.ts";
import { answersOf, modelfileText, type Part, pipelineText, reportOf, trainerLog } from "../run_files.ts";
import { type RunView, viewRun } from "../run_details.ts";
import type { Sources } from "../run_sources.ts";
import * as routes from "./routes.ts";

/** The same as the pages, as JSON, described by an OpenAPI document. */
export function createApi(sources: Sources): OpenAPIHono {
  const { fs, index, clock } = sources;
  const app = new OpenAPIHono({
    defaultHook: (result, c) => {
      if (result.success) return;
      const [issue] = result.error.issues;
      const where = issue?.path.join(".") ?? "";
      return c.json(errorBody("bad-query", `Cannot read ${where}: ${issue?.message}`), 400);
    },
  });
  app.openapi(routes.health, (c) => c.json({ ok: true as const, version: VERSION }, 200));
  app.openapi(routes.list, async (c) => {
    const query = c.req.valid("query");
    const { rows, total, pages } = selectRows(await index.rows(), query, clock.now());
    c.header("X-Total-Count", String(total));
    if (query.page < pages) {
      const next = listPath(query, { page: query.page + 1 });
      c.header("Link", `</api/runs${next.slice(1)}>; rel="next"`);
    }
    return c.json(rows, 200);
  });
  app.openapi(routes.run, async (c) => {
    const view = await found(sources, c.req.valid("param").id);
    const { live, activity, next, end } = view;
    const { tags, note } = view.tags;
    const run = { ...runJson(view.state, activity), tags, note: note ?? null };
    return c.json({ ...run, live: { ...live, stalled: activity === "stalled" }, next, end }, 200);
  });
  app.openapi(routes.metrics, async (c) => {
    const { dir, state } = await found(sources, c.req.valid("param").id);
    const view = await sources.charts.view(dir);
    return c.json({ ...view, charts: withHeldOut(view.charts, state) }, 200);
  });
  app.openapi(routes.predictions, async (c) => {
    const { dir, state } = await found(sources, c.req.valid("param").id);
    const { change, q: text, page, per_page: perPage } = c.req.valid("query");
    const answers = await answersOf(fs, dir, state, { change, text, page, perPage });
    const { rows, total, counts } = valueOf(answers, "predictions");
    return c.json({
      rows: rows.map(({ row, prediction, served }) => ({ ...prediction, row, served })),
      total,
      counts,
    }, 200);
  });
  app.openapi(routes.report, async (c) => {
    const { dir, state } = await found(sources, c.req.valid("param").id);
    return c.json(valueOf(await reportOf(fs, dir, state), "data report"), 200);
  });
  app.openapi(routes.files, async (c) => {
    const { dir, state } = await found(sources, c.req.valid("param").id);
    const [pipeline, modelfile] = [await pipelineText(fs, dir), await modelfileText(fs, dir, state)];
    return c.json({ pipeline: pipeline.value ?? null, modelfile: modelfile.value ?? null }, 200);
  });
  app.openapi(routes.log, async (c) => {
    const { dir, log } = await found(sources, c.req.valid("param").id);
    const { lines = [], unfinished = "" } = (await trainerLog(fs, dir)).value ?? {};
    const trainer = unfinished.trim() === "" ? lines : [...lines, unfinished];
    return c.json({ events: log, trainer }, 200);
  });
  app.openapi(routes.compare, async (c) => {
    const runs = await compareRuns(sources, c.req.valid("query").run);
    const of = <T>(part: (run: ComparedRun) => T) =>
      Object.fromEntries(runs.map((run) => [run.row.id, part(run)]));
    const charts = of(({ charts }) => charts.loss);
    return c.json({ runs: runs.map(({ row }) => row), charts, metrics: of(({ charts }) => charts) }, 200);
  });
  app.doc31("/api/openapi.json", {
    openapi: "3.1.0",
    info: { title: "temper", version: VERSION, description: "The runs of a folder, read-only." },
  });
  return app;
}

/** The run of that id. Throws where there is none. */
export async function found(sources: Sources, id: string): Promise<RunView> {
  const dir = await sources.index.find(id);
  const view = dir === undefined ? undefined : await viewRun(sources, id, dir);
  if (!view) throw noRun(id);
  return view;
}

export function noRun(id: string): TemperError {
  return new TemperError("unknown-run", `Cannot find run "${id}": no run has this id`, {
    hint: "GET /api/runs lists the existing ones",
  });
}

function valueOf<T>({ value, problem }: Part<T>, what: string): T {
  if (problem !== undefined) throw new TemperError("unreadable", problem);
  if (value === undefined) {
    throw new TemperError("not-there", `Cannot show the ${what}: this run has none yet`);
  }
  return value;
}
